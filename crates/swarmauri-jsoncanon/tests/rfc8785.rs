//! The vectors of RFC 8785.

use serde_json::{Value, json};
use swarmauri_jsoncanon::{Error, canonicalize, from_slice_canonical, to_string, to_vec};

/// Section 3.2.2.
const SAMPLE: &str = r#"{
  "numbers": [333333333.33333329, 1E30, 4.50,
              2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"#;

/// Section 3.2.4.
const SAMPLE_BYTES: &str = "
    7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72
    75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73 22 3a
    5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31
    65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37
    5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30
    30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d";

#[test]
fn section_3_2_sample_from_text_and_from_values() {
    let bytes: Vec<u8> =
        SAMPLE_BYTES.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    assert_eq!(canonicalize(SAMPLE.as_bytes()).unwrap(), bytes);
    let value: Value = serde_json::from_str(SAMPLE).unwrap();
    assert_eq!(to_vec(&value).unwrap(), bytes);
    assert_eq!(from_slice_canonical::<Value>(&bytes).unwrap(), value);
}

#[test]
fn section_3_2_3_sorts_by_utf16_code_units() {
    let text = r#"{
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    }"#;
    let sorted = concat!(
        r#"{"\r":"Carriage Return","1":"One","#,
        "\"\u{80}\":\"Control\",",
        "\"\u{f6}\":\"Latin Small Letter O With Diaeresis\",",
        "\"\u{20ac}\":\"Euro Sign\",",
        "\"\u{1f600}\":\"Emoji: Grinning Face\",",
        "\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
    );
    assert_eq!(canonicalize(text.as_bytes()).unwrap(), sorted.as_bytes());
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(to_string(&value).unwrap(), sorted);
}

/// Appendix B, every row: the bits of a double, and its text if it has one.
const NUMBERS: [(u64, Option<&str>); 26] = [
    (0x0000_0000_0000_0000, Some("0")),
    (0x8000_0000_0000_0000, Some("0")),
    (0x0000_0000_0000_0001, Some("5e-324")),
    (0x8000_0000_0000_0001, Some("-5e-324")),
    (0x7fef_ffff_ffff_ffff, Some("1.7976931348623157e+308")),
    (0xffef_ffff_ffff_ffff, Some("-1.7976931348623157e+308")),
    (0x4340_0000_0000_0000, Some("9007199254740992")),
    (0xc340_0000_0000_0000, Some("-9007199254740992")),
    (0x4430_0000_0000_0000, Some("295147905179352830000")),
    (0x7fff_ffff_ffff_ffff, None),
    (0x7ff0_0000_0000_0000, None),
    (0x44b5_2d02_c7e1_4af5, Some("9.999999999999997e+22")),
    (0x44b5_2d02_c7e1_4af6, Some("1e+23")),
    (0x44b5_2d02_c7e1_4af7, Some("1.0000000000000001e+23")),
    (0x444b_1ae4_d6e2_ef4e, Some("999999999999999700000")),
    (0x444b_1ae4_d6e2_ef4f, Some("999999999999999900000")),
    (0x444b_1ae4_d6e2_ef50, Some("1e+21")),
    (0x3eb0_c6f7_a0b5_ed8c, Some("9.999999999999997e-7")),
    (0x3eb0_c6f7_a0b5_ed8d, Some("0.000001")),
    (0x41b3_de43_5555_5553, Some("333333333.3333332")),
    (0x41b3_de43_5555_5554, Some("333333333.33333325")),
    (0x41b3_de43_5555_5555, Some("333333333.3333333")),
    (0x41b3_de43_5555_5556, Some("333333333.3333334")),
    (0x41b3_de43_5555_5557, Some("333333333.33333343")),
    (0xbecb_f647_612f_3696, Some("-0.0000033333333333333333")),
    (0x4314_3ff3_c1cb_0959, Some("1424953923781206.2")),
];

#[test]
fn appendix_b_numbers() {
    for (bits, text) in NUMBERS {
        let number = f64::from_bits(bits);
        // At the top and below it: they take different paths in the serialiser underneath.
        let got = to_string(&number);
        let nested = to_string(&json_like(number));
        if let Some(text) = text {
            assert_eq!(got.as_deref(), Ok(text), "{bits:016x}");
            assert_eq!(nested, Ok(format!(r#"{{"n":[{text}]}}"#)), "{bits:016x}");
            assert_eq!(canonicalize(text.as_bytes()).unwrap(), text.as_bytes(), "{bits:016x}");
        } else {
            assert_eq!(got, Err(Error::NotFinite), "{bits:016x}");
            assert_eq!(nested, Err(Error::NotFinite), "{bits:016x}");
        }
    }
}

/// `serde_json::Value` cannot hold NaN, so not `json!`.
fn json_like(number: f64) -> std::collections::BTreeMap<&'static str, [f64; 1]> {
    [("n", [number])].into()
}

/// The 53 bits of a double, at every exponent: what is written reads back as the same bits.
#[test]
fn doubles_survive_the_round_trip() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    println!("seed {state:#x}");
    for _ in 0..20_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let number = f64::from_bits(state);
        if number.is_finite() && number != 0.0 {
            let text = to_string(&json!([number])).unwrap();
            let [back]: [f64; 1] = from_slice_canonical(text.as_bytes()).unwrap();
            assert_eq!(back.to_bits(), state, "{text}");
        }
    }
}

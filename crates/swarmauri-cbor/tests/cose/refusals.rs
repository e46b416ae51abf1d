//! What is refused, and what is ignored.

use swarmauri_cbor::cose::{Error, key_from_slice, keyset_from_slice, keyset_to_vec};
use swarmauri_cbor::{Value, value_from_slice};
use swarmauri_keys::{Jwk, JwkSet};

use crate::common::unhex;
use crate::fixtures::{
    ED25519, ELEVEN, Ec2, Entries, SYMMETRIC, X25519, encode, map, read, rsa, set, symmetric,
};

#[test]
fn refusals_name_the_member_and_show_no_key() {
    let table = [(read(ELEVEN.private()), "\"d\""), (read(symmetric(SYMMETRIC[0])), "symmetric")];
    for (refused, names) in table {
        let error = refused.unwrap_err();
        assert!(error.to_string().contains(names), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("57c9") && !shown.contains("87, 201") && !shown.contains("849b"), "{shown}");
    }
}

#[test]
fn every_private_member_of_every_type_is_refused() {
    let rsa = vec![(1, 3.into()), (-1, rsa().n().into()), (-2, rsa().e().into())];
    let okp = vec![(1, 1.into()), (-1, 6.into()), (-2, unhex(ED25519).into())];
    let rsa_members = ["d", "p", "q", "dP", "dQ", "qInv", "other", "r_i", "d_i", "t_i"];
    let rsa_members = rsa_members.into_iter().zip(3_i64..).map(|(name, label)| (&rsa, name, -label));
    for (key, member, label) in rsa_members.chain([(&okp, "d", -4), (&ELEVEN.public(), "d", -4)]) {
        assert!(read(key.clone()).is_ok());
        for value in [Value::Bytes(vec![1]), Value::Null] {
            let private = [key.clone(), vec![(label, value)]].concat();
            assert_eq!(read(private), Err(Error::Private { member }), "{member} {label}");
        }
    }
}

/// For each row, the key with one member changed to that CBOR, or without it where there is none.
fn check(key: &Entries, table: &[(i64, &str, &str)]) {
    assert!(read(key.clone()).is_ok());
    for &(label, hex, reason) in table {
        let mut entries = key.clone();
        entries.retain(|(known, _)| *known != label);
        entries.extend(value_from_slice(&unhex(hex)).ok().map(|value| (label, value)));
        let error = read(entries.clone()).map(drop).map_err(|error| error.to_string());
        assert!(error.as_ref().is_err_and(|error| error.contains(reason)), "{reason}: {error:?}");
        // In a set, such a key is skipped, and the others are read.
        let others = keyset_from_slice(&set(vec![entries, ELEVEN.public()]));
        assert_eq!(others.map(|set| set.keys), Ok(vec![ELEVEN.jwk()]), "{reason}");
    }
}

#[test]
fn common_members_of_the_wrong_form_are_refused_by_name() {
    let table = [
        (1, "", "member kty: is missing"),
        (1, "63 454332", "unsupported kty: not a number"),
        (1, "05", "unsupported kty: 5"),
        (1, "00", "unsupported kty: 0"),
        (1, "01", "unsupported crv: 1 of an OKP key"),
        (2, "62 3131", "member kid: must be a byte string"),
        (2, "41 ff", "member kid: must be UTF-8"),
        (3, "39 fffe", "unsupported alg: -65535"),
        (3, "65 4553323536", "unsupported alg: not a number"),
        (4, "01", "member key_ops: must be an array"),
        (4, "80", "member key_ops: must not be empty"),
        (4, "82 01 01", "member key_ops: must not repeat"),
        (4, "82 01 64 7369676e", "member key_ops: must not repeat"),
        (4, "81 09", "unsupported key_ops: 9"),
        (4, "81 f6", "member key_ops: must hold"),
    ];
    check(&ELEVEN.public(), &table);
}

#[test]
fn members_of_curves_of_the_wrong_form_are_refused_by_name() {
    let table = [
        (-1, "", "member crv: is missing"),
        (-1, "02", "unsupported crv: 2 of an EC2 key"),
        (-1, "65 502d323536", "unsupported crv: not a number"),
        (-2, "", "member x: is missing"),
        (-2, &format!("58 1f {}", "01".repeat(31)), "member x: must be 32 bytes, these are 31"),
        (-2, &format!("58 21 {}", "01".repeat(33)), "member x: must be 32 bytes, these are 33"),
        (-2, "61 78", "member x: must be a byte string"),
        (-3, "", "member y: is missing"),
        (-3, "f4", "member y: a sign bit"),
        (-3, "f5", "member y: a sign bit"),
        (-3, "40", "member y: must be 32 bytes, these are 0"),
    ];
    check(&ELEVEN.public(), &table);
    let okp = vec![(1, 1.into()), (-1, 4.into()), (-2, unhex(X25519).into())];
    let table = [
        (-1, "07", "unsupported crv: 7 of an OKP key"),
        (-2, "41 01", "member x: must be 32 bytes, these are 1"),
    ];
    check(&okp, &table);
}

#[test]
fn members_of_rsa_keys_of_the_wrong_form_are_refused_by_name() {
    let key = vec![(1, 3.into()), (-1, rsa().n().into()), (-2, rsa().e().into())];
    let table = [
        (-1, "", "member n: is missing"),
        (-1, "43 010001", "member n or e: invalid input: an RSA modulus"),
        (-1, &format!("59 0101 00 {}", "fb".repeat(256)), "member n: must not begin with a zero byte"),
        (-2, "03", "member e: must be a byte string"),
        (-2, "42 0003", "member e: must not begin with a zero byte"),
        (-2, "41 01", "member n or e: invalid input: an RSA public exponent"),
        (-2, "40", "member n or e: invalid input: an RSA public exponent"),
    ];
    check(&key, &table);
}

#[test]
fn what_is_no_key_and_no_set_is_refused() {
    assert_eq!(key_from_slice(&unhex("80")), Err(Error::NotAKey));
    assert_eq!(keyset_from_slice(&unhex("a0")), Err(Error::NotAKeySet));
    assert_eq!(keyset_from_slice(&unhex("80")), Err(Error::EmptySet));
    assert_eq!(keyset_to_vec(&JwkSet::default()), Err(Error::EmptySet));
    assert_eq!(keyset_from_slice(&unhex("81 00")), Ok(JwkSet::default()));
    let cbor = |hex| key_from_slice(&unhex(hex)).unwrap_err();
    assert_eq!(cbor("a0 00"), swarmauri_cbor::Error::Trailing { offset: 1 }.into());
    assert_eq!(cbor("a2 0102 0101"), swarmauri_cbor::Error::DuplicateKey.into());
    let bad = Jwk { alg: Some("ES512".into()), ..ELEVEN.jwk() };
    let error = keyset_to_vec(&JwkSet { keys: vec![ELEVEN.jwk(), bad] }).unwrap_err();
    assert_eq!(error.to_string(), "keys[1]: unsupported alg: \"ES512\"");
}

#[test]
fn reading_takes_any_order_and_ignores_labels_it_does_not_know() {
    let mut entries = ELEVEN.public();
    entries.push((5, Value::Bytes(vec![1])));
    entries.push((-70_001, Value::Null));
    assert_eq!(read(entries), Ok(ELEVEN.jwk()));
    let named = [("name", 1.into()), ("other", Value::Null)].map(|(name, value)| (Value::from(name), value));
    let Value::Map(mut entries) = map(ELEVEN.public()) else { panic!("not a map") };
    entries.extend(named);
    assert_eq!(key_from_slice(&encode(&Value::Map(entries))), Ok(ELEVEN.jwk()));

    let Ec2(_, _, x, y, _) = ELEVEN;
    // Of indefinite length, y first, x in two chunks.
    let (start, end) = x.split_at(20);
    let odd = format!("bf 22 5820 {y} 0242 3131 0102 2001 21 5f 4a {start} 56 {end} ff ff");
    assert_eq!(key_from_slice(&unhex(&odd)), Ok(ELEVEN.jwk()));
}

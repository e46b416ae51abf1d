//! OpenSSL's command line.

use swarmauri_keys::{KeyAlg, KeyErrorKind, KeyMaterial, KeyType, PrivateKey};

use crate::keys::{House, asymmetric, import, private_key_of};
use crate::tools::Tool;

/// Unlike `openssl pkey`, which writes DER in the traditional form.
const TO_PKCS8: &str = "pkcs8 -topk8 -nocrypt";

#[tokio::test]
async fn openssl_reads_what_we_export() {
    let Some(openssl) = Tool::openssl() else { return };
    let house = House::furnished().await;
    for alg in asymmetric() {
        let private = house.private_key(alg).await;
        let public = house.public_key(alg).await;
        let (pkcs8, spki) = (private.to_pkcs8_der(), public.to_spki_der());
        let run = |args: &str, input: &[u8]| run(&openssl, alg, args, input);

        for (form, input) in [("PEM", private.to_pkcs8_pem()), ("DER", pkcs8.clone())] {
            let input = input.expose_secret();
            let theirs = run(&format!("pkey -inform {form} -pubout -outform DER"), input);
            assert_eq!(theirs, spki, "{alg}: the public half that OpenSSL finds in our PKCS#8 {form}");
            run(&format!("pkey -inform {form} -check -noout"), input);
            let again = run(&format!("{TO_PKCS8} -inform {form} -outform DER"), input);
            assert!(again == pkcs8.expose_secret(), "{alg}: OpenSSL writes our PKCS#8 {form} in other words");
        }
        for (form, input) in [("PEM", public.to_spki_pem().as_bytes()), ("DER", spki.as_slice())] {
            let again = run(&format!("pkey -pubin -inform {form} -pubout -outform DER"), input);
            assert_eq!(again, spki, "{alg}: SPKI {form}");
        }
        let pem = run("pkey -pubin -inform DER -pubout -outform PEM", &spki);
        assert_eq!(pem, public.to_spki_pem().as_bytes(), "{alg}: the PEM text itself");
    }
}

#[tokio::test]
async fn we_read_what_openssl_makes() {
    let Some(openssl) = Tool::openssl() else { return };
    for alg in asymmetric() {
        let run = |args: &str, input: &[u8]| run(&openssl, alg, args, input);
        let made = run(&format!("genpkey {}", generation(alg)), b"");
        let spki = run("pkey -pubout -outform DER", &made);
        let mut forms = vec![
            ("PKCS#8 PEM", made.clone()),
            ("PKCS#8 DER", run(&format!("{TO_PKCS8} -outform DER"), &made)),
            ("SPKI PEM", run("pkey -pubout -outform PEM", &made)),
            ("SPKI DER", spki.clone()),
        ];
        if matches!(alg.key_type(), KeyType::P256 | KeyType::Rsa) {
            forms.push(("traditional PEM", run("pkey -traditional", &made)));
            forms.push(("traditional DER", run("pkey -traditional -outform DER", &made)));
        }
        match alg.key_type() {
            KeyType::P256 => {
                forms.push(("SEC1 PEM", run("ec", &made)));
                forms.push(("SEC1 DER", run("ec -outform DER", &made)));
                forms.push(("SEC1 without its public half", run("ec -outform DER -no_public", &made)));
            }
            KeyType::Rsa => {
                forms.push(("PKCS#1 PEM", run("rsa -traditional", &made)));
                forms.push(("PKCS#1 public PEM", run("rsa -RSAPublicKey_out", &made)));
                forms.push(("PKCS#1 public DER", run("rsa -RSAPublicKey_out -outform DER", &made)));
            }
            KeyType::Ed25519 | KeyType::X25519 | KeyType::Octets => {}
        }
        for (form, text) in forms {
            let key = read(&text).map(|material| import(alg, material));
            let key = key.unwrap_or_else(|error| panic!("{alg}, {form}: {error}")).await;
            let key = key.unwrap_or_else(|error| panic!("{alg}, {form}: {error}"));
            assert_eq!(key.public_key().unwrap().to_spki_der(), spki, "{alg}, {form}");
        }
    }
}

#[tokio::test]
async fn we_give_back_to_openssl_the_key_it_made() {
    let Some(openssl) = Tool::openssl() else { return };
    for alg in asymmetric() {
        let made = run(&openssl, alg, &format!("genpkey {}", generation(alg)), b"");
        let made = run(&openssl, alg, &format!("{TO_PKCS8} -outform DER"), &made);
        let key = import(alg, read(&made).unwrap()).await.unwrap();
        let back: PrivateKey = private_key_of(&key);
        assert!(back.to_pkcs8_der().expose_secret() == made, "{alg}: not the PKCS#8 that was imported");
    }
}

/// `openssl ecparam -genkey` writes the parameters before the key.
#[tokio::test]
async fn we_read_an_ec_key_behind_its_parameters() {
    let Some(openssl) = Tool::openssl() else { return };
    let alg = KeyAlg::EcdsaP256Sha256;
    let made = run(&openssl, alg, "ecparam -name prime256v1 -genkey", b"");
    assert!(made.starts_with(b"-----BEGIN EC PARAMETERS-----"));
    let key = import(alg, read(&made).unwrap()).await.unwrap();
    let spki = run(&openssl, alg, "pkey -pubout -outform DER", &made);
    assert_eq!(key.public_key().unwrap().to_spki_der(), spki);
}

/// What OpenSSL makes beyond our types is refused in words.
#[tokio::test]
async fn we_refuse_what_openssl_makes_beyond_our_types() {
    let Some(openssl) = Tool::openssl() else { return };
    let generate_rsa = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits";
    let generate_ec = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve";
    let (ed25519, p256, rsa) = (KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::RsaPssSha256);
    let cases = [
        (rsa, format!("{generate_rsa}:1024")),
        (rsa, format!("{generate_rsa}:2048 -pkeyopt rsa_keygen_primes:3")),
        (rsa, "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048".to_owned()),
        (rsa, format!("{generate_ec}:P-256")),
        (p256, format!("{generate_ec}:P-384")),
        (p256, format!("{generate_ec}:secp256k1")),
        (p256, format!("{generate_ec}:P-256 -pkeyopt ec_param_enc:explicit")),
        (p256, format!("{generate_ec}:P-256 -aes256 -pass pass:none")),
        (p256, "genpkey -algorithm ED25519".to_owned()),
        (ed25519, "genpkey -algorithm ED448".to_owned()),
        (ed25519, "genpkey -algorithm X25519".to_owned()),
    ];
    for (alg, args) in cases {
        let made = run(&openssl, alg, &args, b"");
        let refused = match read(&made) {
            Ok(material) => import(alg, material).await.map(drop),
            Err(error) => Err(error),
        };
        let error = refused.expect_err(&format!("{alg}: imported what `openssl {args}` makes"));
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput, "openssl {args}: {error}");
    }
}

fn generation(alg: KeyAlg) -> &'static str {
    match alg.key_type() {
        KeyType::Ed25519 => "-algorithm ED25519",
        KeyType::X25519 => "-algorithm X25519",
        KeyType::P256 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        KeyType::Rsa => "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        KeyType::Octets => panic!("{alg} has no key pair"),
    }
}

fn read(text: &[u8]) -> Result<KeyMaterial, swarmauri_keys::KeyError> {
    if text.starts_with(b"-----BEGIN") {
        KeyMaterial::from_pem(std::str::from_utf8(text).unwrap())
    } else {
        KeyMaterial::from_der(text)
    }
}

fn run(openssl: &Tool, alg: KeyAlg, args: &str, input: &[u8]) -> Vec<u8> {
    let words: Vec<_> = args.split(' ').collect();
    openssl.pipe(&words, input).unwrap_or_else(|error| panic!("{alg}: openssl {args}: {error}"))
}

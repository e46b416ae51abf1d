//! Keys out of the RFCs, and files that OpenSSL and PyCA's cryptography wrote of them.

/// RFC 7517 appendix A.2, the RSA key with its numbers in the order n, e, d, p, q, dp, dq, qi.
pub(crate) const RSA: [(&str, &str); 8] = [
    (
        "n",
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    ),
    ("e", "AQAB"),
    (
        "d",
        "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q",
    ),
    (
        "p",
        "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
    ),
    (
        "q",
        "3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk",
    ),
    (
        "dp",
        "G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF402XRugKDTP8akYhFo5tAA77Qe_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0",
    ),
    (
        "dq",
        "s9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_agI3nG8Ibp1BUb0JUiraRNqUfLhcQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk",
    ),
    (
        "qi",
        "GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDjJHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU",
    ),
];

/// RFC 7638 section 3.1.
pub(crate) const RSA_THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

/// RFC 7517 appendix A.2, the EC key: x, y, d.
pub(crate) const P256: [&str; 3] = [
    "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
];

/// RFC 8037 appendix A.1: d and x.
pub(crate) const ED25519: [&str; 2] =
    ["nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"];

/// RFC 8037 appendix A.3.
pub(crate) const ED25519_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

/// RFC 8410 section 10.3: version 1, then version 2 with attributes and public key.
pub(crate) const ED25519_PKCS8: [&str; 2] = [
    "-----BEGIN PRIVATE KEY-----\n\
     MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
     -----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n\
     MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
     oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
     Z9w7lshQhqowtrbLDFw4rXAxZuE=\n\
     -----END PRIVATE KEY-----\n",
];
/// RFC 8410 section 10.1.
pub(crate) const ED25519_SPKI: &str = "-----BEGIN PUBLIC KEY-----\n\
     MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
     -----END PUBLIC KEY-----\n";

/// Alice of RFC 7748 section 6.1.
pub(crate) const X25519_PKCS8: &str = "-----BEGIN PRIVATE KEY-----\n\
     MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n\
     -----END PRIVATE KEY-----\n";
pub(crate) const X25519_SPKI: &str = "-----BEGIN PUBLIC KEY-----\n\
     MCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n\
     -----END PUBLIC KEY-----\n";
/// Her public key in RFC 8037 appendix A.6, and Bob's.
pub(crate) const X25519: [&str; 2] =
    ["hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo", "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"];

/// [`RSA`] and [`P256`] in files.
pub(crate) const RSA_PKCS8: &str = include_str!("data/rsa.pkcs8.pem");
pub(crate) const RSA_PKCS1: &str = include_str!("data/rsa.pkcs1.pem");
pub(crate) const RSA_SPKI: &str = include_str!("data/rsa.spki.pem");
pub(crate) const RSA_PKCS1_PUBLIC: &str = include_str!("data/rsa.pkcs1-public.pem");
pub(crate) const P256_PKCS8: &str = include_str!("data/p256.pkcs8.pem");
pub(crate) const P256_SEC1: &str = include_str!("data/p256.sec1.pem");
pub(crate) const P256_SPKI: &str = include_str!("data/p256.spki.pem");

/// As `openssl ecparam -genkey` writes it before the key.
pub(crate) const EC_PARAMETERS: &str =
    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";

/// The RSA key as a JWK with these of its members.
pub(crate) fn rsa_jwk(names: &[&str]) -> String {
    let members: Vec<_> = RSA
        .iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(name, value)| format!("{name:?}:{value:?}"))
        .collect();
    format!(r#"{{"kty":"RSA",{}}}"#, members.join(","))
}

pub(crate) const RSA_PUBLIC: &[&str] = &["n", "e"];
pub(crate) const RSA_ALL: &[&str] = &["n", "e", "d", "p", "q", "dp", "dq", "qi"];

pub(crate) fn p256_jwk() -> String {
    let [x, y, _] = P256;
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
}

pub(crate) fn p256_private_jwk() -> String {
    let [x, y, d] = P256;
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","d":"{d}"}}"#)
}

pub(crate) fn okp_jwk(crv: &str, x: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"{crv}","x":"{x}"}}"#)
}

/// What is in the only block of a PEM text.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    <base64ct::Base64 as base64ct::Encoding>::decode_vec(&base64).unwrap()
}

pub(crate) fn b64url(text: &str) -> Vec<u8> {
    <base64ct::Base64UrlUnpadded as base64ct::Encoding>::decode_vec(text).unwrap()
}

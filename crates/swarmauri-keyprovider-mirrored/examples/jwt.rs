//! Signing JWTs with a key that nobody can export, and verifying them with an ordinary JWT library: through an outage
//! of the primary, and two rotations.
//!
//! Run it with `cargo run --example jwt`; docs/jwt.md explains it. Every claim that is printed has been asserted.

#![allow(clippy::print_stdout, reason = "it tells what happens")]

use std::error::Error;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, TokenData, Validation, decode, decode_header};
use serde_json::{Value, json};
use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyProvider;
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyId, KeySpec, KeyUse};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    // The primary behind a switch that takes it out, and a secondary that may sign in its place.
    let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    let builder = MirroredKeyProvider::builder(primary.clone(), Arc::new(LocalKeyProvider::new()));
    let mirror = builder.mode(MirrorMode::Full).build()?;

    // Mode full copies the secret, since the policy of this key allows it.
    let spec = KeySpec::builder(KeyAlg::EcdsaP256Sha256)
        .uses([KeyUse::Sign, KeyUse::Verify])
        .export_policy(ExportPolicy::SecretWhenAllowed)
        .build()?;
    let key = mirror.create_key(&spec).await?;
    let kid = key.kid();

    let before = sign(&mirror, kid, &json!({"sub": "before the outage"})).await?;
    let second = mirror.rotate(kid).await?;
    let rotated = sign(&mirror, kid, &json!({"sub": "after a rotation"})).await?;
    let published = publish(&mirror).await?;
    println!("The JWKS has {} keys; these tokens verify with it:", published.keys.len());
    show([&before, &rotated], &published)?;

    println!("\nThe primary goes out.");
    primary.faults().outage();
    let during = sign(&mirror, kid, &json!({"sub": "during the outage"})).await?;
    let meanwhile = publish(&mirror).await?;
    assert_eq!(meanwhile, published, "the JWKS is what it was");
    show([&before, &rotated, &during], &meanwhile)?;

    println!("\nThe primary is back, and the key is rotated again.");
    primary.faults().recover();
    mirror.rotate(kid).await?;
    let after = sign(&mirror, kid, &json!({"sub": "after the outage"})).await?;
    show([&before, &rotated, &during, &after], &publish(&mirror).await?)?;

    println!("\nThe second version is disabled: its tokens verify no more.");
    mirror.disable_key(kid, second.version()).await?;
    let published = publish(&mirror).await?;
    for token in [&rotated, &during] {
        assert!(verify(token, &published).is_err());
    }
    show([&before, &after], &published)
}

/// A JWT in compact form (RFC 7519, RFC 7515 section 3.1), signed with the latest version of the key.
async fn sign(provider: &dyn KeyProvider, kid: &KeyId, claims: &Value) -> Outcome<String> {
    // The header names the version, so it must be known before anything is signed.
    let key = provider.get_key(kid, None, Secrets::Omit).await?;
    let header = json!({"alg": key.alg().jose_alg(), "typ": "JWT", "kid": key.id().to_string()});
    let encode = |part: &Value| Base64UrlUnpadded::encode_string(part.to_string().as_bytes());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let signature = provider.work()?.sign(kid, Some(key.version()), input.as_bytes()).await?;
    Ok(format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature.bytes)))
}

/// What a service serves at `/.well-known/jwks.json`, as others read it: all live versions, since tokens outlive
/// rotations.
async fn publish(provider: &dyn KeyProvider) -> Outcome<JwkSet> {
    let jwks = provider.jwks(&JwksQuery::ALL_LIVE).await?;
    Ok(serde_json::from_str(&serde_json::to_string(&*jwks)?)?)
}

/// What a service does that knows nothing of us: it takes the key that the token names from the JWKS.
fn verify(token: &str, jwks: &JwkSet) -> Outcome<TokenData<Value>> {
    let header = decode_header(token)?;
    let kid = header.kid.ok_or("the token names no key")?;
    let jwk = jwks.find(&kid).ok_or_else(|| format!("{kid} is not in the JWKS"))?;
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    Ok(decode(token, &DecodingKey::from_jwk(jwk)?, &validation)?)
}

fn show<'a>(tokens: impl IntoIterator<Item = &'a String>, jwks: &JwkSet) -> Outcome {
    for token in tokens {
        let TokenData { header, claims, .. } = verify(token, jwks)?;
        println!("  {claims} by {}", header.kid.unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_of_it_holds() {
        super::main().unwrap();
    }
}

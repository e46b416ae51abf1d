//! Encrypting content and other keys: what holds for one holds for the other.

use std::collections::BTreeSet;

use swarmauri_keyprovider::Feature;
use swarmauri_keys::{Ciphertext, KeyAlg, KeyErrorKind, KeyOperation, KeyRef, KeyType};

use crate::Subject;
use crate::subject::{built, done, refused, spec};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;
use crate::work::{AAD, MESSAGE, Sealing, assert_one_text, sealing};

/// By how much the longest plaintext of RSA-OAEP with SHA-256 is shorter than the modulus (RFC 8017 section
/// 7.1.1).
const OAEP_OVERHEAD: usize = 66;

pub(crate) async fn what_is_encrypted_decrypts(on: Subject) -> CaseResult {
    for alg in on.doing(&Sealing::Content.operations())? {
        let key = on.key(spec(alg)).await;
        let longest = vec![0x5a; longest(&key)];
        for plaintext in [b"", MESSAGE, &longest[..]] {
            for aad in [b"", AAD] {
                for version in [None, Some(key.version())] {
                    let sealed = on.work().encrypt(key.kid(), version, plaintext, aad).await;
                    let sealed = done(sealed, &format!("encrypting {} bytes", plaintext.len()));
                    assert_form(&sealed, &key, plaintext.len());
                    let opened = done(on.open(Sealing::Content, &sealed, aad).await, "decrypting");
                    assert!(opened.expose_secret() == plaintext, "{alg}: other bytes than were encrypted");
                }
            }
        }
    }
    Ok(())
}

pub(crate) async fn what_is_wrapped_unwraps(on: Subject) -> CaseResult {
    for alg in on.doing(&Sealing::Key.operations())? {
        let key = on.key(spec(alg)).await;
        for len in [1, 16, 32, 64, longest(&key).min(1000)] {
            let wrapped = on.seal(Sealing::Key, key.kid(), None, &vec![0x5a; len], &[]).await;
            let wrapped = done(wrapped, &format!("wrapping a key of {len} bytes"));
            assert_form(&wrapped, &key, len);
            let unwrapped = done(on.open(Sealing::Key, &wrapped, &[]).await, "unwrapping");
            assert!(unwrapped.expose_secret() == vec![0x5a; len], "{alg}: another key than was wrapped");
        }
    }
    Ok(())
}

pub(crate) async fn ciphertexts_made_elsewhere_decrypt(on: Subject) -> CaseResult {
    let known = |alg| on.can.does(KeyOperation::Decrypt, alg) && on.can.import.contains(&alg);
    let vectors: Vec<_> = vectors::ciphertexts().into_iter().filter(|one| known(one.alg)).collect();
    if vectors.is_empty() {
        return Err(NotApplicable("decrypts nothing with keys that were imported".to_owned()));
    }
    for one in vectors {
        let key = on.imported(built(spec(one.alg)), one.material).await;
        let (kid, version) = (key.kid().clone(), key.version());
        let sealed = Ciphertext {
            kid,
            version,
            alg: one.alg,
            nonce: one.nonce,
            ciphertext: one.ciphertext,
            tag: one.tag,
        };
        let opened = done(on.open(Sealing::Content, &sealed, &one.aad).await, one.name);
        assert!(opened.expose_secret() == one.plaintext, "other bytes than those of {}", one.name);
    }
    Ok(())
}

pub(crate) async fn ciphertexts_outlive_rotations(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    for (sealing, alg) in quick(&on)? {
        let first = on.key(spec(alg)).await;
        let id = first.kid();
        let aad = aad(sealing);
        let old = done(on.seal(sealing, id, None, MESSAGE, aad).await, "encrypting with version 1");
        let second = on.rotate(id).await;
        let new = done(on.seal(sealing, id, None, MESSAGE, aad).await, "encrypting with the latest version");
        assert_eq!(new.id(), *second.id(), "no version means the latest");
        let again = on.seal(sealing, id, Some(first.version()), MESSAGE, aad).await;
        let again = done(again, "encrypting with version 1");
        assert_eq!(again.id(), *first.id());
        for sealed in [old, new, again] {
            let opened = done(on.open(sealing, &sealed, aad).await, "decrypting what an older version made");
            assert!(opened.expose_secret() == MESSAGE, "other bytes than were encrypted");
        }
    }
    Ok(())
}

/// Under one key a nonce that repeats gives both messages away (NIST SP 800-38D section 8).
pub(crate) async fn nonces_never_repeat(on: Subject) -> CaseResult {
    let alg = KeyAlg::Aes256Gcm;
    let ways: Vec<_> = sealing(&on)?.into_iter().filter(|way| way.1 == alg).collect();
    if ways.is_empty() {
        return Err(NotApplicable("no AES-GCM".to_owned()));
    }
    let key = on.key(spec(alg)).await;
    let mut nonces = BTreeSet::new();
    for round in 0..400 {
        for (sealing, _) in &ways {
            let sealed = done(on.seal(*sealing, key.kid(), None, MESSAGE, &[]).await, "encrypting");
            assert!(
                nonces.insert(sealed.nonce),
                "a nonce has come before, after {round} encryptions of each kind"
            );
        }
    }
    Ok(())
}

pub(crate) async fn one_plaintext_has_many_ciphertexts(on: Subject) -> CaseResult {
    for (sealing, alg) in sealing(&on)? {
        let key = on.key(spec(alg)).await;
        let mut seen = BTreeSet::new();
        for _ in 0..4 {
            let sealed = done(on.seal(sealing, key.kid(), None, MESSAGE, &[]).await, "encrypting");
            assert!(seen.insert(sealed.ciphertext), "{alg}: it shows that the plaintext is the same");
        }
    }
    Ok(())
}

/// Whatever is wrong with them, they are refused with one and the same words.
pub(crate) async fn tampered_ciphertexts_are_not_authentic(on: Subject) -> CaseResult {
    let mut errors = Vec::new();
    for (sealing, alg) in sealing(&on)? {
        let key = on.key(spec(alg)).await;
        let aad = aad(sealing);
        let right = done(on.seal(sealing, key.kid(), None, MESSAGE, aad).await, "encrypting");
        for (what, forged) in forgeries(&right) {
            let opened = on.open(sealing, &forged, aad).await;
            errors.push(refused(opened, KeyErrorKind::NotAuthentic, &format!("{alg}: {what}")));
        }
        if sealing == Sealing::Content {
            for wrong in [b"", &AAD[1..], &[AAD, b"\0"].concat()] {
                let opened = on.open(sealing, &right, wrong).await;
                errors.push(refused(opened, KeyErrorKind::NotAuthentic, "other associated data"));
            }
        }
        done(on.open(sealing, &right, aad).await, "what nobody has tampered with");
    }
    assert_one_text(&errors);
    Ok(())
}

pub(crate) async fn ciphertexts_under_another_name_are_not_authentic(on: Subject) -> CaseResult {
    let mut errors = Vec::new();
    for (sealing, alg) in quick(&on)? {
        let (key, other) = (on.key(spec(alg)).await, on.key(spec(alg)).await);
        let aad = aad(sealing);
        let right = done(on.seal(sealing, key.kid(), None, MESSAGE, aad).await, "encrypting");
        let mut forged = vec![Ciphertext { kid: other.kid().clone(), ..right.clone() }];
        if on.can.has(Feature::Rotate) {
            let version = on.rotate(key.kid()).await.version();
            forged.push(Ciphertext { version, ..right });
        }
        for sealed in forged {
            let opened = on.open(sealing, &sealed, aad).await;
            errors.push(refused(
                opened,
                KeyErrorKind::NotAuthentic,
                "the ciphertext of another version or key",
            ));
        }
    }
    assert_one_text(&errors);
    Ok(())
}

pub(crate) async fn plaintexts_that_are_too_long_are_refused(on: Subject) -> CaseResult {
    let rsa: Vec<_> = sealing(&on)?.into_iter().filter(|way| way.1.key_type() == KeyType::Rsa).collect();
    if rsa.is_empty() {
        return Err(NotApplicable("no RSA-OAEP".to_owned()));
    }
    for (sealing, alg) in rsa {
        let key = on.key(spec(alg)).await;
        for len in [longest(&key) + 1, modulus(&key), 10_000] {
            let sealed = on.seal(sealing, key.kid(), None, &vec![0x5a; len], &[]).await;
            refused(sealed, KeyErrorKind::InvalidInput, &format!("encrypting {len} bytes with RSA"));
        }
    }
    Ok(())
}

pub(crate) async fn a_key_of_no_bytes_is_not_wrapped(on: Subject) -> CaseResult {
    for alg in on.doing(&[KeyOperation::WrapKey])? {
        let key = on.key(spec(alg)).await;
        let wrapped = on.seal(Sealing::Key, key.kid(), None, b"", &[]).await;
        refused(wrapped, KeyErrorKind::InvalidInput, "wrapping a key of no bytes");
    }
    Ok(())
}

#[track_caller]
fn assert_form(sealed: &Ciphertext, key: &KeyRef, plaintext: usize) {
    assert_eq!((sealed.id(), sealed.alg), (key.id().clone(), key.alg()));
    let form = (sealed.nonce.len(), sealed.ciphertext.len(), sealed.tag.len());
    let wanted = match key.alg().key_type() {
        KeyType::Rsa => (0, modulus(key), 0),
        _ => (12, plaintext, 16),
    };
    assert_eq!(form, wanted, "the lengths of nonce, ciphertext and tag of {}", key.alg());
}

/// The longest plaintext of an RSA key; with another key, one of a mebibyte.
fn longest(key: &KeyRef) -> usize {
    if key.alg().key_type() == KeyType::Rsa { modulus(key) - OAEP_OVERHEAD } else { 1 << 20 }
}

fn modulus(key: &KeyRef) -> usize {
    key.size_bits().map_or(0, |bits| bits as usize / 8)
}

fn aad(sealing: Sealing) -> &'static [u8] {
    if sealing == Sealing::Content { AAD } else { &[] }
}

/// The ways of sealing with keys that are created, and rotated, quickly: of these no two are the same key.
fn quick(on: &Subject) -> Result<Vec<(Sealing, KeyAlg)>, NotApplicable> {
    let all = sealing(on)?;
    let quick = on.quick_of(all.iter().map(|way| way.1).collect())?;
    Ok(all.into_iter().filter(|way| quick.contains(&way.1)).collect())
}

fn forgeries(right: &Ciphertext) -> Vec<(String, Ciphertext)> {
    let mut all = Vec::new();
    for field in ["nonce", "ciphertext", "tag"] {
        let bytes = of(field, &mut right.clone()).clone();
        for (how, changed) in changes(&bytes) {
            let mut forged = right.clone();
            *of(field, &mut forged) = changed;
            all.push((format!("{field} {how}"), forged));
        }
    }
    // Whoever puts ciphertext and tag together to decrypt does not see where the one ends.
    let whole = [&right.ciphertext[..], &right.tag].concat();
    let border = right.ciphertext.len();
    for at in [border - 1, border + 1, whole.len()] {
        let Some((ciphertext, tag)) = whole.split_at_checked(at).filter(|_| at != border) else { continue };
        let (ciphertext, tag) = (ciphertext.to_vec(), tag.to_vec());
        all.push(("tag that begins elsewhere".to_owned(), Ciphertext { ciphertext, tag, ..right.clone() }));
    }
    for alg in KeyAlg::ALL.iter().copied().filter(|alg| *alg != right.alg) {
        all.push((format!("said to be of {alg}"), Ciphertext { alg, ..right.clone() }));
    }
    all
}

fn of<'a>(field: &str, sealed: &'a mut Ciphertext) -> &'a mut Vec<u8> {
    match field {
        "nonce" => &mut sealed.nonce,
        "tag" => &mut sealed.tag,
        _ => &mut sealed.ciphertext,
    }
}

fn changes(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![("with a byte too many", [bytes, &[0]].concat())];
    let Some(last) = bytes.len().checked_sub(1) else { return all };
    let flipped = |at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    all.extend([
        ("changed at its start", flipped(0)),
        ("changed at its end", flipped(last)),
        ("without its last byte", bytes[..last].to_vec()),
        ("cut to a half", bytes[..bytes.len() / 2].to_vec()),
        ("left out", Vec::new()),
        ("of zeros", vec![0; bytes.len()]),
    ]);
    all
}

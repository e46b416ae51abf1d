//! Tokens signed through a mirror: before, during and after an outage of the primary, across two rotations, verified by
//! others with our JWKS of each moment.

use std::sync::Arc;

use serde_json::{Value, json};
use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyProvider;
use swarmauri_keyproviders_tests::jws::sign_compact;
use swarmauri_keys::{KeyAlg, KeyErrorKind, KeyRef};

use crate::keys::{SIGNING, spec};
use crate::peer::Peer;

struct Issuer {
    primary: Arc<FaultyProvider>,
    mirror: MirroredKeyProvider,
    alg: KeyAlg,
    /// Every token so far, with its claims.
    issued: Vec<(String, Value)>,
}

impl Issuer {
    fn new(mode: MirrorMode, alg: KeyAlg) -> Self {
        let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
        let mirror = MirroredKeyProvider::builder(primary.clone(), Arc::new(LocalKeyProvider::new()));
        Self { mirror: mirror.mode(mode).build().unwrap(), primary, alg, issued: Vec::new() }
    }

    async fn issue(&mut self, key: &KeyRef, when: &str) {
        let claims = json!({"sub": when, "version": key.version()});
        let token = sign_compact(self.mirror.work().unwrap(), key.id(), self.alg, &claims).await.unwrap();
        self.issued.push((token, claims));
    }

    async fn jwks(&self) -> Value {
        serde_json::to_value(&*self.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap()).unwrap()
    }

    /// Every token that was ever issued verifies now.
    async fn all_verify(&self, peer: &Peer, when: &str) {
        let jwks = self.jwks().await;
        for (token, claims) in &self.issued {
            let verified = peer.ask("verify", self.alg, json!({"jwks": jwks, "token": token}));
            assert_eq!(verified, *claims, "{} {when}", self.alg);
        }
    }
}

/// In mode `full` tokens are signed and verify at every moment.
pub(crate) async fn tokens_outlive_an_outage(peer: &Peer) {
    for alg in SIGNING {
        let mut issuer = Issuer::new(MirrorMode::Full, alg);
        let first = issuer.mirror.create_key(&spec(alg)).await.unwrap();
        issuer.issue(&first, "before").await;
        let second = issuer.mirror.rotate(first.kid()).await.unwrap();
        issuer.issue(&second, "before, rotated").await;
        issuer.all_verify(peer, "before").await;
        let before = issuer.jwks().await;

        issuer.primary.faults().outage();
        issuer.issue(&first, "during, an older version").await;
        issuer.issue(&second, "during").await;
        assert_eq!(issuer.jwks().await, before, "the JWKS is the same during the outage");
        issuer.all_verify(peer, "during").await;

        issuer.primary.faults().recover();
        let third = issuer.mirror.rotate(first.kid()).await.unwrap();
        issuer.issue(&third, "after").await;
        issuer.all_verify(peer, "after").await;
        assert_eq!(issuer.issued.len(), 5);

        // Tokens of what is disabled verify no more.
        issuer.mirror.disable_key(first.kid(), second.version()).await.unwrap();
        let jwks = issuer.jwks().await;
        for (token, claims) in &issuer.issued {
            let verified = peer.try_ask("verify", alg, json!({"jwks": jwks, "token": token}));
            let trusted = claims["version"] != json!(second.version());
            assert_eq!(verified.is_ok(), trusted, "{alg} {claims}");
        }
    }
}

/// In mode `public_only` what was signed before verifies during the outage, and nothing new is signed.
pub(crate) async fn tokens_verify_where_no_secret_was_copied(peer: &Peer) {
    for alg in SIGNING {
        let mut issuer = Issuer::new(MirrorMode::PublicOnly, alg);
        let first = issuer.mirror.create_key(&spec(alg)).await.unwrap();
        issuer.issue(&first, "before").await;
        let second = issuer.mirror.rotate(first.kid()).await.unwrap();
        issuer.issue(&second, "before, rotated").await;
        issuer.primary.faults().outage();
        issuer.all_verify(peer, "during").await;
        let refused = issuer.mirror.work().unwrap().sign(first.kid(), None, b"message").await;
        assert_eq!(refused.unwrap_err().kind(), KeyErrorKind::Unavailable);
    }
}

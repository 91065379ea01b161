//! Content credentials, read by the library of those who made them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;

use std::path::Path;

use bench::{Bench, plan};
use c2pa::{Context, Reader, ValidationState};
use domain::Resolution::P720;
use media::{ContentSigner, EncodePlan, Error, Extras};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// A chain of a made-up authority and a certificate that may sign documents, with its key.
fn identity() -> (Vec<u8>, Vec<u8>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::OrganizationName, "An authority of a test");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.clone().self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, "A shop of a test");
    params.distinguished_name.push(DnType::CommonName, "A shop of a test");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let chain = format!("{}{}", certificate.pem(), root.pem());
    (chain.into_bytes(), key.serialize_pem().into_bytes())
}

fn signer() -> ContentSigner {
    let (chain, key) = identity();
    ContentSigner::new(chain, key, "es256").unwrap()
}

fn read(path: &Path) -> (ValidationState, String) {
    let reader = Reader::from_context(Context::new()).with_file(path).unwrap();
    (reader.validation_state(), reader.json())
}

#[tokio::test]
async fn every_file_that_has_a_place_for_them_carries_credentials_that_hold() {
    let bench = Bench::new().await;
    let input = bench.clip("320x568", "24", "3", "");
    let extras = Extras { hls: true, ..Extras::default() };
    let plan = EncodePlan { extras, signer: Some(signer()), ..plan(P720, 24, 3) };
    let made = bench.encode(&input, plan).await.unwrap();
    for path in [&made.renditions[0].path, &made.poster.path, &made.poster_webp.path, &made.strip.path] {
        let (state, json) = read(path);
        // The authority is made up: what was signed holds, and nobody trusts who signed.
        assert_eq!(state, ValidationState::Valid, "{}: {json}", path.display());
        assert!(json.contains("c2pa.created") && json.contains("trainedAlgorithmicMedia"), "{json}");
        assert!(json.contains("Lookreel"), "{json}");
    }
    // A byte of a frame is changed: it shows.
    let changed = bench.path("changed.mp4");
    let mut bytes = std::fs::read(&made.renditions[0].path).unwrap();
    let at = bytes.len() - 2_000;
    bytes[at] ^= 0xff;
    std::fs::write(&changed, bytes).unwrap();
    assert_eq!(read(&changed).0, ValidationState::Invalid);
    assert!(made.hls.is_some());
}

#[test]
fn what_does_not_fit_together_is_refused_at_once() {
    let ((chain, key), (other, _)) = (identity(), identity());
    assert!(ContentSigner::new(chain.clone(), key.clone(), "es256").is_ok());
    assert!(!format!("{:?}", ContentSigner::new(chain.clone(), key.clone(), "es256").unwrap()).contains("BEGIN"));
    for (chain, key, algorithm) in [
        (chain.clone(), b"no key".to_vec(), "es256"),
        (b"no chain".to_vec(), key.clone(), "es256"),
        (chain.clone(), key.clone(), "rsa"),
        (other, key.clone(), "es256"),
    ] {
        let refused = ContentSigner::new(chain, key, algorithm);
        assert!(matches!(refused, Err(Error::Credentials(_))), "{algorithm}");
    }
}

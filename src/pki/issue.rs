//! The cluster's own authority, and what it issues.

use super::name::{self, NodeName};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

const DAY: Duration = Duration::from_secs(86_400);
/// An authority outlives the machines.
const AUTHORITY: Duration = Duration::from_secs(3650 * 86_400);
/// A node's certificate is renewed long before it ends.
const NODE: Duration = Duration::from_secs(90 * 86_400);
/// Clocks differ: a new certificate already holds for a machine that is late.
const EARLIER: Duration = Duration::from_secs(3600);

/// A certificate with its chain, and its private key, both as PEM.
pub struct Issued {
    pub certificate: String,
    pub key: Zeroizing<String>,
}

/// Whom a certificate is for.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A node, with the names and addresses by which clients and nodes reach it.
    Node { name: NodeName, hosts: Vec<String> },
    /// A client; the role that it may log in as.
    Client(String),
}

/// Who issues.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, as PEM.
    pem: String,
    /// What nodes show between their certificate and this one: see [`Authority::succeeding`].
    between: String,
}

/// A new authority, and what makes those believe it who only know the old one.
pub struct Successor {
    pub authority: Issued,
    /// Its certificate as the old one has signed it.
    pub cross: String,
}

impl Authority {
    /// A new one.
    pub fn found(cluster: &str) -> Result<Issued, String> {
        let mut params = params(&common_name(cluster), AUTHORITY);
        // One below it: its successor.
        authorize(&mut params, 1);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Issued { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
    }

    /// The one of `bundle`'s certificates (PEM) that `key` (PEM) belongs to.
    pub fn load(bundle: &str, key: &str) -> Result<Authority, String> {
        let key = KeyPair::from_pem(key).map_err(failed)?;
        let public = key.subject_public_key_info();
        for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
            let certificate = certificate.map_err(|e| format!("a certificate of the CA cannot be read: {e}"))?;
            if name::public_key(&certificate).as_deref() == Some(&public) {
                let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(failed)?;
                return Ok(Authority { issuer, pem: pem(&certificate), between: String::new() });
            }
        }
        Err("the CA's key belongs to none of its certificates".into())
    }

    /// Founds the authority that is to follow this one.
    pub fn succeed(&self, cluster: &str) -> Result<Successor, String> {
        // Another name than any before: issuers are found by their names.
        let name = format!("{cluster} {}", hex::encode(rand::random::<[u8; 4]>()));
        let authority = Authority::found(&name)?;
        let key = KeyPair::from_pem(&authority.key).map_err(failed)?;
        let mut params = params(&common_name(&name), AUTHORITY);
        authorize(&mut params, 0);
        params.use_authority_key_identifier_extension = true;
        let cross = params.signed_by(&key, &self.issuer).map_err(failed)?.pem();
        Ok(Successor { authority, cross })
    }

    /// Nodes also show `cross`, and the other certificates of the `bundle` (both PEM): so those find a way to it who only know
    /// one of these.
    pub fn succeeding(mut self, cross: &str, bundle: &str) -> Result<Authority, String> {
        self.between = cross.to_owned();
        for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
            let certificate = pem(&certificate.map_err(failed)?);
            if certificate != self.pem {
                self.between.push_str(&certificate);
            }
        }
        Ok(self)
    }

    /// What a node shows behind its own certificate, as PEM.
    pub fn chain(&self) -> String {
        format!("{}{}", self.between, self.pem)
    }

    /// Its certificate's fingerprint.
    pub fn fingerprint(&self) -> Result<[u8; 32], String> {
        CertificateDer::from_pem_slice(self.pem.as_bytes()).map(|der| name::fingerprint(&der)).map_err(failed)
    }

    /// A new certificate with a new key.
    pub fn issue(&self, subject: &Subject) -> Result<Issued, String> {
        let lifetime = if let Subject::Client(_) = subject { AUTHORITY / 10 } else { NODE };
        self.issue_until(subject, SystemTime::now() + lifetime)
    }

    /// The same, with the time of its end.
    pub fn issue_until(&self, subject: &Subject, end: SystemTime) -> Result<Issued, String> {
        let (mut params, client) = match subject {
            Subject::Node { name, .. } => (params(&name.node, NODE), false),
            Subject::Client(role) => (params(role, NODE), true),
        };
        params.not_after = end.into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        if let Subject::Node { name, hosts } = subject {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
            params.subject_alt_names.push(SanType::URI(name.uri().try_into().map_err(failed)?));
            for host in hosts {
                params.subject_alt_names.push(match host.parse::<IpAddr>() {
                    Ok(address) => SanType::IpAddress(address),
                    Err(_) => SanType::DnsName(host.as_str().try_into().map_err(failed)?),
                });
            }
        }
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        // A node shows its authority too: who joins knows no more than its fingerprint.
        let chain = if client { String::new() } else { self.chain() };
        let certificate = certificate.pem() + &chain;
        Ok(Issued { certificate, key: Zeroizing::new(key.serialize_pem()) })
    }
}

fn common_name(cluster: &str) -> String {
    format!("Quorate cluster {cluster}")
}

/// Makes it the certificate of one who issues, with so many others in between.
fn authorize(params: &mut CertificateParams, below: u8) {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
}

fn params(common_name: &str, lifetime: Duration) -> CertificateParams {
    let now = SystemTime::now();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = (now - EARLIER).into();
    params.not_after = (now + lifetime).into();
    params
}

pub(super) fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("a certificate cannot be made: {error}")
}

/// When a certificate that holds from `start` to `end` is to be renewed: when a third of its time is left.
pub fn renewal(start: i64, end: i64) -> i64 {
    let spare = ((end - start) / 3).max(DAY.as_secs() as i64 / 24);
    end - spare
}

//! A node's own certificate and key, the authorities that it believes, and the TLS configurations made of them.
//!
//! [`Keys`] looks at its files from time to time: what has been replaced is used from the next connection on, and what the
//! node itself has issued is renewed before it ends.

use super::issue::{Authority, Subject, renewal};
use super::name::{self, NodeName};
use super::write_private;
use arc_swap::ArcSwap;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// Where a node's certificates are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The authorities that are believed; more than one while they change.
    pub ca: PathBuf,
    /// The authority's key, if this node may issue.
    pub ca_key: PathBuf,
    /// The key of the authority that is to follow, while they change.
    pub next_key: PathBuf,
    /// The present authority's certificate as the one before has signed it, as long as that one is believed too.
    pub cross: PathBuf,
    /// What passwords of roles that are not there are made of, if that is not the authority's key any more.
    pub nobody: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The program has made them: it renews them, and may issue others.
    pub own: bool,
}

impl Files {
    /// As the program itself keeps them, in a node's data directory.
    pub fn below(data_dir: &Path) -> Files {
        let dir = data_dir.join("pki");
        let [ca, ca_key, next_key, cross] = ["ca.crt", "ca.key", "next.key", "cross.crt"].map(|name| dir.join(name));
        let [certificate, key, nobody] = ["node.crt", "node.key", "nobody"].map(|name| dir.join(name));
        Files { ca, ca_key, next_key, cross, nobody, certificate, key, own: true }
    }

    /// The authority whose key is here.
    pub fn authority(&self) -> Result<Authority, String> {
        let (bundle, key) = (text(&self.ca)?, Zeroizing::new(text(&self.ca_key)?));
        let authority = Authority::load(&bundle, &key)?;
        if self.cross.exists() { authority.succeeding(&text(&self.cross)?, &bundle) } else { Ok(authority) }
    }

    fn all(&self) -> [&Path; 3] {
        [&self.ca, &self.certificate, &self.key]
    }

    /// When each of them was written.
    fn stamps(&self) -> [Option<SystemTime>; 3] {
        self.all().map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok())
    }
}

/// What is in use now.
pub struct Tls {
    /// For Postgres clients: their certificates are looked at if they have some.
    pub clients: Arc<ServerConfig>,
    /// The same for HTTP.
    pub http: Arc<ServerConfig>,
    /// For nodes: without a certificate the handshake fails.
    pub peers: Arc<ServerConfig>,
    /// To other nodes of this cluster.
    pub dial: Arc<ClientConfig>,
    /// What binds SCRAM to the channel.
    pub binding: Option<Vec<u8>>,
    /// When the certificate ends, in seconds since 1970.
    pub expires: i64,
    /// The fingerprint of the authority that has issued it.
    pub authority: [u8; 32],
    /// When the first of the authorities ends that are believed.
    pub authority_expires: i64,
    /// The authorities, as PEM.
    pub bundle: String,
}

/// See the module.
pub struct Keys {
    files: Files,
    subject: Subject,
    cluster: String,
    stamps: parking_lot::Mutex<[Option<SystemTime>; 3]>,
    tls: ArcSwap<Tls>,
}

impl Keys {
    /// Reads the files of a node of `cluster`; `hosts` are the names in the next certificate that the node issues itself.
    pub fn open(files: Files, name: NodeName, hosts: Vec<String>) -> Result<Arc<Keys>, String> {
        let cluster = name.cluster.clone();
        let stamps = files.stamps();
        let tls = read(&files, &cluster)?;
        let subject = Subject::Node { name, hosts };
        let (stamps, tls) = (parking_lot::Mutex::new(stamps), ArcSwap::from_pointee(tls));
        let keys = Keys { files, subject, cluster, stamps, tls };
        keys.refresh()?;
        Ok(Arc::new(keys))
    }

    pub fn now(&self) -> Arc<Tls> {
        self.tls.load_full()
    }

    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The authority, if this node has its key.
    pub fn authority(&self) -> Result<Authority, String> {
        self.authority_key()?;
        self.files.authority()
    }

    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The authority's key, for a node that is let in.
    pub fn authority_key(&self) -> Result<Zeroizing<String>, String> {
        if !self.files.own {
            return Err("the node's certificates are somebody else's work".into());
        }
        text(&self.files.ca_key).map(Zeroizing::new)
    }

    /// A secret that all nodes have which may issue, for what must look the same on each of them; else this node's.
    pub fn secret(&self) -> [u8; 32] {
        let kept = text(&self.files.nobody).ok().and_then(|kept| hex::decode(kept.trim()).ok());
        if let Some(kept) = kept.and_then(|kept| kept.try_into().ok()) {
            return kept;
        }
        let own = || std::fs::read_to_string(&self.files.key).map(Zeroizing::new).unwrap_or_default();
        let key = self.authority_key().unwrap_or_else(|_| own());
        let context = ::ring::hmac::Key::new(::ring::hmac::HMAC_SHA256, key.as_bytes());
        let mut out = [0; 32];
        out.copy_from_slice(::ring::hmac::sign(&context, b"quorate: verifiers of nobody").as_ref());
        out
    }

    /// Renews what is about to end, and reads what has been replaced. Says what it has done.
    pub fn refresh(&self) -> Result<Option<&'static str>, String> {
        let mut done = None;
        if self.is_due()? {
            let issued = self.authority()?.issue(&self.subject)?;
            // Whatever is between the two writes, the next refresh mends: until then the old pair is in use.
            for (path, text) in [(&self.files.key, &*issued.key), (&self.files.certificate, &issued.certificate)] {
                write_private(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
            }
            done = Some("the node's certificate was renewed");
        }
        let stamps = self.files.stamps();
        let mut known = self.stamps.lock();
        if *known != stamps {
            self.tls.store(Arc::new(read(&self.files, &self.cluster)?));
            *known = stamps;
            done = done.or(Some("the node's certificates were read anew"));
        }
        Ok(done)
    }

    /// Whether the node's certificate is its own work, and soon ends, lacks a name, or is that of another authority.
    fn is_due(&self) -> Result<bool, String> {
        if !self.files.own || !self.files.ca_key.exists() {
            return Ok(false);
        }
        let chain = certificates(&self.files.certificate)?;
        let first = chain.first().ok_or("the node's certificate is not there")?;
        let (start, end) = name::validity(first).ok_or("the node's certificate cannot be read")?;
        let Subject::Node { hosts, .. } = &self.subject else { return Ok(false) };
        let parsed = ParsedCertificate::try_from(first).map_err(|e| e.to_string())?;
        let named = |host: &String| {
            ServerName::try_from(host.as_str()).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
        };
        let issuer = CertificateDer::pem_slice_iter(self.authority()?.chain().as_bytes()).flatten().collect::<Vec<_>>();
        let due = renewal(start, end) <= UnixTime::now().as_secs() as i64;
        Ok(due || !hosts.iter().all(named) || chain[1..] != issuer)
    }
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |e: rustls::pki_types::pem::Error| format!("{}: no certificate can be read: {e}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<Result<Vec<_>, _>>();
    let found = found.map_err(unreadable)?;
    if found.is_empty() { Err(format!("{}: there is no certificate in it", path.display())) } else { Ok(found) }
}

fn roots(authorities: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, String> {
    let mut store = RootCertStore::empty();
    for authority in authorities {
        store.add(authority.clone()).map_err(|e| format!("a certificate of the CA cannot be used: {e}"))?;
    }
    Ok(Arc::new(store))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn read(files: &Files, cluster: &str) -> Result<Tls, String> {
    let authorities = certificates(&files.ca)?;
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| format!("{}: {e}", files.key.display()))?;
    let roots = roots(&authorities)?;
    let wrong = |e: Error| format!("{} and {}: {e}", files.certificate.display(), files.key.display());
    let own = name::node_name(&chain[0]);
    if own.is_none_or(|name| name.cluster != cluster) {
        return Err(format!(
            "{}: this is no certificate of a node of the cluster \"{cluster}\": its names must have the URI {}",
            files.certificate.display(),
            NodeName { cluster: cluster.into(), node: "NODE".into() }.uri()
        ));
    }
    let server = |optional: bool, alpn: &[&str]| {
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider());
        let verifier = if optional { verifier.allow_unauthenticated() } else { verifier };
        let verifier = verifier.build().map_err(|e| format!("{}: {e}", files.ca.display()))?;
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(wrong)?.with_client_cert_verifier(verifier);
        let mut config = builder.with_single_cert(chain.clone(), key.clone_key()).map_err(wrong)?;
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config.send_tls13_tickets = 0;
        Ok::<_, String>(Arc::new(config))
    };
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let verifier = Arc::new(NodesOf { cluster: Some(cluster.to_owned()), trust: Trust::Roots(roots.clone()) });
    let builder = builder.map_err(wrong)?.dangerous().with_custom_certificate_verifier(verifier);
    let dial = builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(wrong)?;
    let issuer = issuer_of(&chain, &authorities);
    Ok(Tls {
        clients: server(true, &["postgresql"])?,
        http: server(true, &["http/1.1"])?,
        peers: server(false, &[])?,
        dial: Arc::new(dial),
        binding: name::channel_binding(&chain[0]),
        expires: name::validity(&chain[0]).map_or(0, |(_, end)| end),
        authority: name::fingerprint(issuer),
        authority_expires: authorities.iter().filter_map(name::validity).map(|(_, end)| end).min().unwrap_or(0),
        bundle: text(&files.ca)?,
    })
}

/// The authority that the chain ends in: the one that it shows, or the first that is believed.
fn issuer_of<'a>(
    chain: &'a [CertificateDer<'static>],
    believed: &'a [CertificateDer<'static>],
) -> &'a CertificateDer<'static> {
    chain.iter().rev().find(|shown| believed.contains(shown)).unwrap_or(&believed[0])
}

/// For a node that joins: it knows no more of the cluster than its authority's fingerprint.
pub fn join_config(fingerprint: [u8; 32]) -> Result<Arc<ClientConfig>, String> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let verifier = Arc::new(NodesOf { cluster: None, trust: Trust::Fingerprint(fingerprint) });
    let builder = builder.map_err(|e| e.to_string())?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// For a command on a node's own machine: it shows the node's certificate, and believes nodes of the same authority.
pub fn operator_config(files: &Files) -> Result<Arc<ClientConfig>, String> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let trust = Trust::Roots(roots(&certificates(&files.ca)?)?);
    let verifier = Arc::new(NodesOf { cluster: None, trust });
    let builder = builder.map_err(|e| e.to_string())?.dangerous().with_custom_certificate_verifier(verifier);
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| format!("{}: {e}", files.key.display()))?;
    let config = builder.with_client_auth_cert(certificates(&files.certificate)?, key);
    config.map(Arc::new).map_err(|e| format!("{}: {e}", files.certificate.display()))
}

/// For an operator's commands: the node must have a certificate of `ca` (PEM) for the name by which it is called.
pub fn visitor_config(ca: &Path, own: Option<(&Path, &Path)>) -> Result<Arc<ClientConfig>, String> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| e.to_string())?.with_root_certificates(roots(&certificates(ca)?)?);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|e| format!("{}: {e}", key.display()))?;
            let chain = certificates(certificate)?;
            builder.with_client_auth_cert(chain, key).map_err(|e| format!("{}: {e}", certificate.display()))?
        }
    };
    Ok(Arc::new(config))
}

/// Believes nodes of a cluster, at whatever address they are: who they are is in their certificates.
#[derive(Debug)]
struct NodesOf {
    /// Any, if the authority alone decides.
    cluster: Option<String>,
    trust: Trust,
}

#[derive(Debug)]
enum Trust {
    Roots(Arc<RootCertStore>),
    /// Of the authority that the server must show.
    Fingerprint([u8; 32]),
}

/// By which signatures are checked.
fn algorithms() -> WebPkiSupportedAlgorithms {
    ring::default_provider().signature_verification_algorithms
}

impl ServerCertVerifier for NodesOf {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let roots = match &self.trust {
            Trust::Roots(roots) => roots.clone(),
            Trust::Fingerprint(known) => {
                let shown = intermediates.iter().find(|shown| name::fingerprint(shown) == *known);
                let shown = shown.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
                let mut store = RootCertStore::empty();
                store.add(shown.clone().into_owned())?;
                Arc::new(store)
            }
        };
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, now, algorithms().all)?;
        let node = name::node_name(end_entity);
        let right = node.is_some_and(|node| self.cluster.as_ref().is_none_or(|cluster| node.cluster == *cluster));
        match right {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::InvalidCertificate(CertificateError::NotValidForName)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

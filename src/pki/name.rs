//! Who a certificate is for.

use ring::digest;
use rustls::pki_types::CertificateDer;
use std::fmt::Write as _;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const SCHEME: &str = "quorate://";

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName {
    pub cluster: String,
    pub node: String,
}

impl NodeName {
    /// As it stands in a certificate: everything but letters, digits and `-._` as `%` and two hexadecimal digits.
    pub fn uri(&self) -> String {
        format!("{SCHEME}{}/{}", escaped(&self.cluster), escaped(&self.node))
    }

    fn parse(uri: &str) -> Option<NodeName> {
        let (cluster, node) = uri.strip_prefix(SCHEME)?.split_once('/')?;
        Some(NodeName { cluster: plain(cluster)?, node: plain(node)? })
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(byte.into()),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn plain(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        match *first {
            b'%' => {
                let digits = rest.get(..2).and_then(|pair| std::str::from_utf8(pair).ok())?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &rest[2..];
            }
            b'/' => return None,
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

fn parsed<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(certificate).ok().map(|(_, parsed)| parsed)
}

/// The node that a certificate is for, if it is a node's.
pub fn node_name(certificate: &CertificateDer<'_>) -> Option<NodeName> {
    let parsed = parsed(certificate)?;
    let names = parsed.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| match name {
        GeneralName::URI(uri) => NodeName::parse(uri),
        _ => None,
    })
}

/// The common name of a certificate's subject: with the method `cert`, the role that may log in by it.
pub fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let parsed = parsed(certificate)?;
    let mut names = parsed.subject().iter_common_name();
    // More than one would leave open who it is.
    let name = names.next().filter(|_| names.next().is_none())?;
    name.as_str().ok().filter(|name| !name.contains('\0')).map(str::to_owned)
}

/// Subject, issuer and serial number, as `pg_stat_ssl` shows them.
pub fn distinguished_names(certificate: &CertificateDer<'_>) -> Option<(String, String, String)> {
    let parsed = parsed(certificate)?;
    Some((parsed.subject().to_string(), parsed.issuer().to_string(), parsed.tbs_certificate.serial.to_string()))
}

/// From when until when a certificate holds, in seconds since 1970.
pub fn validity(certificate: &CertificateDer<'_>) -> Option<(i64, i64)> {
    let validity = parsed(certificate)?.validity().clone();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// The day of a time in seconds since 1970.
pub fn day(seconds: i64) -> String {
    let time = x509_parser::time::ASN1Time::from_timestamp(seconds);
    time.map_or_else(|_| "?".into(), |time| time.to_datetime().date().to_string())
}

/// The public key that a certificate is for, as DER.
pub fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    parsed(certificate).map(|parsed| parsed.public_key().raw.to_vec())
}

/// A certificate's SHA-256.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, certificate).as_ref());
    out
}

/// What binds SCRAM to a channel with this certificate (RFC 5929): its hash by the algorithm of its signature, but by
/// SHA-256 if that is MD5 or SHA-1. Nothing if the algorithm has no hash of its own.
pub fn channel_binding(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let oid = parsed(certificate)?.signature_algorithm.algorithm.to_id_string();
    let algorithm = match oid.as_str() {
        // MD5 and SHA-1 with RSA; SHA-1 and SHA-256 with ECDSA; SHA-256 with RSA.
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => &digest::SHA256,
        "1.2.840.10045.4.3.2" | "1.2.840.113549.1.1.11" => &digest::SHA256,
        "1.2.840.10045.4.3.3" | "1.2.840.113549.1.1.12" => &digest::SHA384,
        "1.2.840.10045.4.3.4" | "1.2.840.113549.1.1.13" => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_and_nothing_else_is_one() {
        for (cluster, node) in [("quorate", "node-1"), ("a/b %", "Knoten ü")] {
            let name = NodeName { cluster: cluster.into(), node: node.into() };
            assert_eq!(NodeName::parse(&name.uri()), Some(name));
        }
        for uri in ["quorate://a", "quorate://a/", "quorate:///b", "quorate://a/b/c", "https://a/b", "quorate://a/%zz"]
        {
            assert_eq!(NodeName::parse(uri), None, "{uri}");
        }
    }
}

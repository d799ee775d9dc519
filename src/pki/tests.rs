//! Who believes whom: handshakes in memory, between nodes, clients, and those that are neither.

use super::*;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::sync::Arc;
use tempfile::TempDir;

struct House {
    dir: TempDir,
    keys: Arc<Keys>,
}

fn house(cluster: &str, ca: &Issued) -> House {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::below(dir.path());
    private_dir(files.ca.parent().unwrap()).unwrap();
    let name = NodeName { cluster: cluster.into(), node: "node-1".into() };
    let hosts = vec!["db.example".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let subject = Subject::Node { name: name.clone(), hosts: hosts.clone() };
    let node = Authority::load(&ca.certificate, &ca.key).unwrap().issue(&subject).unwrap();
    for (path, text) in [
        (&files.ca, &ca.certificate),
        (&files.ca_key, &*ca.key),
        (&files.certificate, &node.certificate),
        (&files.key, &*node.key),
    ] {
        write_private(path, text).unwrap();
    }
    House { keys: Keys::open(files, name, hosts).unwrap(), dir }
}

/// Whether the two agree; if so, the certificate that the server saw.
fn handshake(client: Arc<ClientConfig>, server: Arc<ServerConfig>, name: &str) -> Result<Option<String>, String> {
    let mut client = ClientConnection::new(client, ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    for _ in 0..10 {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut &wire[..]).unwrap();
        server.process_new_packets().map_err(|e| format!("server: {e}"))?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut &wire[..]).unwrap();
        client.process_new_packets().map_err(|e| format!("client: {e}"))?;
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(server.peer_certificates().and_then(|chain| common_name(&chain[0])));
        }
    }
    Err("it does not end".into())
}

#[test]
fn nodes_of_one_cluster_and_nobody_else() {
    let ca = Authority::found("one").unwrap();
    let (a, b) = (house("one", &ca), house("one", &ca));
    let (a, b) = (a.keys.now(), b.keys.now());
    assert_eq!(handshake(a.dial.clone(), b.peers.clone(), "anything").unwrap().as_deref(), Some("node-1"));
    // Another cluster of the same authority, another authority, and nobody.
    let namesake = house("two", &ca).keys.now();
    assert!(handshake(a.dial.clone(), namesake.peers.clone(), "x").unwrap_err().contains("client"));
    let stranger = house("one", &Authority::found("one").unwrap()).keys.now();
    assert!(handshake(stranger.dial.clone(), b.peers.clone(), "x").is_err());
    assert!(handshake(a.dial.clone(), stranger.peers.clone(), "x").is_err());
    let joining = join_config(a.authority).unwrap();
    assert!(handshake(joining.clone(), b.peers.clone(), "x").is_err(), "no certificate, no peer");
    assert_eq!(handshake(joining, b.http.clone(), "x").unwrap(), None);
    assert!(handshake(join_config([0; 32]).unwrap(), b.http.clone(), "x").is_err());
    let fresh = join_config(a.authority).unwrap();
    assert!(handshake(fresh, stranger.http.clone(), "x").is_err(), "its authority has the name, but not the key");
}

#[test]
fn clients_believe_the_names_and_are_no_nodes() {
    let ca = Authority::found("one").unwrap();
    let house = house("one", &ca);
    let tls = house.keys.now();
    let files = Files::below(house.dir.path());
    let client = visitor_config(&files.ca, None).unwrap();
    for name in ["db.example", "127.0.0.1", "::1"] {
        assert!(handshake(client.clone(), tls.clients.clone(), name).is_ok(), "{name}");
    }
    assert!(handshake(client, tls.clients.clone(), "other.example").is_err());
    let ann = house.keys.authority().unwrap().issue(&Subject::Client("ann".into())).unwrap();
    let (certificate, key) = (house.dir.path().join("ann.crt"), house.dir.path().join("ann.key"));
    write_private(&certificate, &ann.certificate).unwrap();
    write_private(&key, &ann.key).unwrap();
    let ann = visitor_config(&files.ca, Some((&certificate, &key))).unwrap();
    assert_eq!(handshake(ann, tls.clients.clone(), "db.example").unwrap().as_deref(), Some("ann"));
    let der = rustls::pki_types::pem::PemObject::from_pem_file(&certificate).unwrap();
    assert_eq!(node_name(&der), None);
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn certificates_are_renewed_and_reread() {
    let ca = Authority::found("one").unwrap();
    let house = house("one", &ca);
    assert_eq!(house.keys.refresh().unwrap(), None);
    // A name that the certificate lacks: an address has been added.
    let files = Files::below(house.dir.path());
    let name = NodeName { cluster: "one".into(), node: "node-1".into() };
    let more = Keys::open(files.clone(), name.clone(), vec!["new.example".into()]).unwrap();
    let client = visitor_config(&files.ca, None).unwrap();
    assert!(handshake(client.clone(), more.now().clients.clone(), "new.example").is_ok());
    assert_eq!(more.refresh().unwrap(), None);
    // Somebody has replaced it.
    let hosts = vec!["third.example".to_owned(), "new.example".to_owned()];
    let third = more.authority().unwrap().issue(&Subject::Node { name, hosts }).unwrap();
    write_private(&files.key, &third.key).unwrap();
    write_private(&files.certificate, &third.certificate).unwrap();
    assert_eq!(more.refresh().unwrap(), Some("the node's certificates were read anew"));
    assert!(handshake(client, more.now().clients.clone(), "third.example").is_ok());
    let day = 86_400;
    assert_eq!(super::issue::renewal(0, 90 * day), 60 * day);
}

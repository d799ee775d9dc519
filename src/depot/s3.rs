//! A bucket of an object store that speaks S3.
//!
//! Who asks, and whom, is said as to other programs: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`,
//! `AWS_ENDPOINT_URL`, and `AWS_CA_BUNDLE` for the authorities that are believed. What fails for now is asked again for some time;
//! all that is asked can be asked twice.

use crate::admin::client::{Said, Way, wait_for};
use crate::backup::store::Store;
use crate::pki;
use axum::http::Method;
use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Credentials, UrlStyle};
use std::path::Path;
use std::time::Duration;
use url::Url;

/// For one attempt, and how long a signature counts.
const PATIENCE: Duration = Duration::from_secs(60);
const VALID: Duration = Duration::from_secs(300);
/// Between two attempts at first; each is twice as long as the one before.
const AGAIN: Duration = Duration::from_millis(200);
const ATTEMPTS: u32 = 7;
/// Where most systems keep the authorities that they believe.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

pub struct Bucket {
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    /// What all names of ours begin with.
    prefix: String,
    way: Way,
    attempts: u32,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Bucket {
    /// `place`: BUCKET, or BUCKET/PREFIX.
    pub fn open(place: &str) -> Result<Bucket, String> {
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        if name.is_empty() {
            return Err("s3:// needs the name of a bucket\n  write s3://BUCKET or s3://BUCKET/PREFIX".to_owned());
        }
        let needed = |name| variable(name).ok_or(format!("s3:// needs {name} in the environment"));
        let (key, secret) = (needed("AWS_ACCESS_KEY_ID")?, needed("AWS_SECRET_ACCESS_KEY")?);
        let credentials = match variable("AWS_SESSION_TOKEN") {
            Some(token) => Credentials::new_with_token(key, secret, token),
            None => Credentials::new(key, secret),
        };
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).unwrap_or("us-east-1".into());
        let (endpoint, style) = match variable("AWS_ENDPOINT_URL") {
            Some(endpoint) => (endpoint, UrlStyle::Path),
            None => (format!("https://s3.{region}.amazonaws.com"), UrlStyle::VirtualHost),
        };
        Bucket::at(&endpoint, style, (name, region), prefix, credentials)
    }

    fn at(
        endpoint: &str,
        style: UrlStyle,
        (name, region): (&str, String),
        prefix: &str,
        credentials: Credentials,
    ) -> Result<Bucket, String> {
        let wrong = |why: String| format!("{endpoint} is no address of an object store: {why}");
        let url = Url::parse(endpoint).map_err(|e| wrong(e.to_string()))?;
        let way = match url.scheme() {
            "https" => Way { tls: Some(pki::visitor_config(&authorities()?, None)?), login: None },
            _ => Way::default(),
        };
        let bucket = rusty_s3::Bucket::new(url, style, name.to_owned(), region).map_err(|e| wrong(format!("{e:?}")))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let prefix = match prefix.trim_matches('/') {
            "" => String::new(),
            prefix if !prefix.chars().all(plain) => {
                return Err(format!(
                    "s3://{name}/{prefix} has a name that stores tell in different ways\n  use letters, digits, - _ . and /"
                ));
            }
            prefix => format!("{prefix}/"),
        };
        Ok(Bucket { bucket, credentials, prefix, way, attempts: ATTEMPTS })
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Asks until there is an answer. Errors: what was asked for, and why it is not to be had.
    fn ask(&self, method: Method, name: &str, sign: &dyn Fn() -> Url, body: Option<&[u8]>) -> Result<Said, String> {
        let mut pause = AGAIN;
        for attempt in 1.. {
            let url = sign();
            let host = url.host_str().unwrap_or_default();
            let address = format!("{host}:{}", url.port_or_known_default().unwrap_or(443));
            let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
            let named = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            let said = wait_for(self.way.request(
                &address,
                (&named, method.clone(), &path),
                body.map(<[u8]>::to_vec),
                PATIENCE,
            ));
            let why = match said {
                Ok(said) if said.is_success() || said.status == 404 => return Ok(said),
                Ok(said) if said.status < 500 && ![408, 429].contains(&said.status) => {
                    return Err(format!("{}: {} {}", self.key(name), said.status, said.text()));
                }
                Ok(said) => format!("{} {}", said.status, said.text()),
                Err(why) => why,
            };
            if attempt >= self.attempts {
                return Err(format!("{}: {why}", self.key(name)));
            }
            tracing::debug!(name, why, "an object store is asked again");
            std::thread::sleep(pause);
            pause *= 2;
        }
        unreachable!("attempts have an end")
    }
}

fn authorities() -> Result<std::path::PathBuf, String> {
    let said = variable("AWS_CA_BUNDLE").or_else(|| variable("SSL_CERT_FILE"));
    let known = || AUTHORITIES.iter().find(|path| Path::new(path).exists()).map(|path| (*path).to_owned());
    let found = said.or_else(known).ok_or("no authorities are known: name a file of them in AWS_CA_BUNDLE")?;
    Ok(found.into())
}

impl Store for Bucket {
    fn put(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let key = self.key(name);
        let sign = || self.bucket.put_object(Some(&self.credentials), &key).sign(VALID);
        match self.ask(Method::PUT, name, &sign, Some(content))? {
            said if said.is_success() => Ok(()),
            said => Err(format!("{key}: {}", said.text())),
        }
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let key = self.key(name);
        let sign = || self.bucket.get_object(Some(&self.credentials), &key).sign(VALID);
        let said = self.ask(Method::GET, name, &sign, None)?;
        Ok(said.is_success().then(|| said.body.to_vec()))
    }

    fn length(&self, name: &str) -> Result<Option<u64>, String> {
        let key = self.key(name);
        let sign = || self.bucket.head_object(Some(&self.credentials), &key).sign(VALID);
        let said = self.ask(Method::HEAD, name, &sign, None)?;
        Ok(said.length.filter(|_| said.is_success()))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let below = if folder.is_empty() { self.prefix.clone() } else { self.key(&format!("{folder}/")) };
        let (mut names, mut next) = (Vec::new(), None::<String>);
        loop {
            let sign = || {
                let mut action = self.bucket.list_objects_v2(Some(&self.credentials));
                action.with_prefix(below.clone());
                next.iter().for_each(|token| action.with_continuation_token(token.clone()));
                action.sign(VALID)
            };
            let said = self.ask(Method::GET, folder, &sign, None)?;
            if !said.is_success() {
                return Err(format!("the bucket {}: {}", self.bucket.name(), said.text()));
            }
            let found = ListObjectsV2::parse_response(&said.body).map_err(|e| format!("{below}: {e}"))?;
            let own = found
                .contents
                .into_iter()
                .filter_map(|object| object.key.strip_prefix(&self.prefix).map(str::to_owned));
            names.extend(own);
            next = found.next_continuation_token;
            if next.is_none() {
                names.sort();
                return Ok(names);
            }
        }
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        let key = self.key(name);
        let sign = || self.bucket.delete_object(Some(&self.credentials), &key).sign(VALID);
        self.ask(Method::DELETE, name, &sign, None).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::collections::BTreeMap;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;

    type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

    /// A server that knows as much of S3 as is asked here, lists two objects at a time, and fails every so often: it is busy, or
    /// ends the connection.
    fn server(objects: Objects) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut head, mut length) = (String::new(), 0);
                stream.read_line(&mut head).unwrap();
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).unwrap();
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let mut stream = stream.into_inner();
                let mut words = head.split(' ');
                let (method, url) = (words.next().unwrap(), words.next().unwrap());
                let url = Url::parse(&format!("http://host{url}")).unwrap();
                assert!(url.query_pairs().any(|(name, _)| name == "X-Amz-Signature"));
                if n % 5 == 3 {
                    continue;
                }
                let (status, answer) = match n % 5 {
                    1 => ("503 Slow Down", b"busy".to_vec()),
                    _ => answer(&mut objects.lock(), method, &url, body),
                };
                let length = answer.len();
                let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                if method != "HEAD" {
                    let _ = stream.write_all(&answer);
                }
            }
        });
        format!("http://{address}")
    }

    fn answer(
        objects: &mut BTreeMap<String, Vec<u8>>,
        method: &str,
        url: &Url,
        body: Vec<u8>,
    ) -> (&'static str, Vec<u8>) {
        let key = url.path().trim_start_matches("/bucket").trim_start_matches('/').to_owned();
        let argument =
            |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        match method {
            "PUT" => {
                objects.insert(key, body);
                ("200 OK", Vec::new())
            }
            "DELETE" => {
                objects.remove(&key);
                ("204 No Content", Vec::new())
            }
            _ if key.is_empty() => {
                let (prefix, after) = (argument("prefix").unwrap_or_default(), argument("continuation-token"));
                let after = after.unwrap_or_default();
                let mut found = objects.keys().filter(|key| key.starts_with(&prefix) && **key > after);
                let page: Vec<&String> = found.by_ref().take(2).collect();
                let contents: String = page
                    .iter()
                    .map(|key| {
                        format!("<Contents><Key>{key}</Key><LastModified>x</LastModified><ETag>x</ETag><Size>1</Size></Contents>")
                    })
                    .collect();
                let next = found.next().map(|_| format!("<NextContinuationToken>{}</NextContinuationToken>", page[1]));
                let xml = format!("<ListBucketResult>{contents}{}</ListBucketResult>", next.unwrap_or_default());
                ("200 OK", xml.into_bytes())
            }
            _ => match objects.get(&key) {
                Some(content) => ("200 OK", content.clone()),
                None => ("404 Not Found", b"none".to_vec()),
            },
        }
    }

    #[test]
    fn a_bucket_keeps_what_is_whole_whatever_goes_wrong_on_the_way() {
        let objects = Objects::default();
        objects.lock().insert("another/x".into(), b"not ours".to_vec());
        let endpoint = server(objects.clone());
        let credentials = || Credentials::new("key", "secret");
        let open =
            || Bucket::at(&endpoint, UrlStyle::Path, ("bucket", "here".into()), "/our-own/", credentials()).unwrap();
        let store = open();
        assert_eq!((store.get("a/b").unwrap(), store.length("a/b").unwrap()), (None, None));
        assert_eq!(store.list("").unwrap(), Vec::<String>::new());
        for name in ["a/b", "a/c/d", "a/e", "a/f", "b/a"] {
            store.put(name, name.as_bytes()).unwrap();
        }
        store.put("a/b", b"second").unwrap();
        assert_eq!(store.get("a/b").unwrap().unwrap(), b"second");
        assert_eq!(store.length("a/b").unwrap(), Some(6));
        assert_eq!(store.list("a").unwrap(), ["a/b", "a/c/d", "a/e", "a/f"]);
        store.remove("a/b").unwrap();
        store.remove("a/b").unwrap();
        assert_eq!(store.list("").unwrap(), ["a/c/d", "a/e", "a/f", "b/a"]);
        assert_eq!(objects.lock().len(), 5);
        // Somebody who is not there is not asked for ever, and named.
        let gone = Bucket {
            attempts: 2,
            ..Bucket::at("http://127.0.0.1:1", UrlStyle::Path, ("bucket", "here".into()), "p", credentials()).unwrap()
        };
        assert!(gone.get("x").unwrap_err().starts_with("p/x: "));
        let odd = Bucket::at(&endpoint, UrlStyle::Path, ("bucket", "here".into()), "a b", credentials());
        assert!(odd.err().unwrap().contains("letters, digits"));
        assert!(Bucket::at("ftp://x", UrlStyle::Path, ("bucket", "here".into()), "", credentials()).is_err());
    }
}

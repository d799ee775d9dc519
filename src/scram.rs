//! SCRAM-SHA-256 (RFC 5802, RFC 7677) as a server needs it: what is kept of a password, and the exchange that proves it.
//!
//! Pure: salts and nonces are the caller's dice. A [`Verifier`] is written in PostgreSQL's form,
//! `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`; whoever has it cannot log in with it. What is secret is compared in
//! constant time, wiped when it is dropped, and never printed by `Debug`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};
use std::fmt;
use std::num::NonZeroU32;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// PostgreSQL's, and RFC 7677's least.
pub const ITERATIONS: u32 = 4096;
/// Bytes of a new verifier's salt.
pub const SALT: usize = 16;
/// Bytes that a server adds to the client's nonce.
pub const NONCE: usize = 18;
/// The mechanism without channel binding, and with it.
pub const MECHANISM: &str = "SCRAM-SHA-256";
pub const MECHANISM_PLUS: &str = "SCRAM-SHA-256-PLUS";
/// The only kind of channel binding there is: by the hash of the server's certificate (RFC 5929).
const BINDING: &str = "tls-server-end-point";
const KEY: usize = digest::SHA256_OUTPUT_LEN;

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Verifier {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: [u8; KEY],
    server_key: [u8; KEY],
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(…)")
    }
}

/// The text form, for the catalog. Not for logs.
impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verifier { iterations, salt, stored_key, server_key } = self;
        let [salt, stored, server] = [&salt[..], stored_key, server_key].map(|bytes| BASE64.encode(bytes));
        write!(f, "{MECHANISM}${iterations}:{salt}${stored}:{server}")
    }
}

/// The text to keep of a new password; `salt` is drawn by the caller.
pub fn verifier(password: &str, salt: [u8; SALT]) -> String {
    Verifier::new(password, &salt, ITERATIONS).to_string()
}

/// Whether the text is what [`verifier`] gives, so that it is kept as it is.
pub fn is_verifier(text: &str) -> bool {
    Verifier::parse(text).is_some()
}

impl Verifier {
    pub fn new(password: &str, salt: &[u8], iterations: u32) -> Verifier {
        let mut salted = salted(password, salt, iterations);
        let mut client_key = mac(&salted, &[b"Client Key"]);
        let stored_key = hash(&client_key);
        let server_key = mac(&salted, &[b"Server Key"]);
        salted.zeroize();
        client_key.zeroize();
        Verifier { iterations, salt: salt.to_vec(), stored_key, server_key }
    }

    pub fn parse(text: &str) -> Option<Verifier> {
        let rest = text.strip_prefix(MECHANISM)?.strip_prefix('$')?;
        let (head, keys) = rest.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let key = |text: &str| BASE64.decode(text).ok().and_then(|bytes| <[u8; KEY]>::try_from(bytes).ok());
        let iterations = iterations.parse().ok().filter(|n| *n > 0)?;
        let salt = BASE64.decode(salt).ok().filter(|salt| !salt.is_empty())?;
        Some(Verifier { iterations, salt, stored_key: key(stored)?, server_key: key(server)? })
    }

    /// Whether the verifier is this password's.
    pub fn matches(&self, password: &str) -> bool {
        let other = Verifier::new(password, &self.salt, self.iterations);
        bool::from(self.server_key.ct_eq(&other.server_key))
    }

    /// For a name that has no password: no password fits, and its salt is the same whenever somebody asks, so that it is not
    /// told apart from one that has. `secret` is the server's.
    pub fn mock(secret: &[u8], name: &str) -> Verifier {
        let salt = mac(secret, &[b"salt of ", name.as_bytes()])[..SALT].to_vec();
        let stored_key = mac(secret, &[b"stored key of ", name.as_bytes()]);
        let server_key = mac(secret, &[b"server key of ", name.as_bytes()]);
        Verifier { iterations: ITERATIONS, salt, stored_key, server_key }
    }
}

/// Why an exchange ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client does not follow the protocol: how.
    Malformed(&'static str),
    /// Something that is not done here.
    Unsupported(&'static str),
    /// The client believes that there is no channel binding, but it was offered: somebody is between the two.
    Downgrade,
    /// The client is bound to another server's certificate: somebody is between the two.
    Binding,
    /// The password is wrong.
    Proof,
}

/// The server's side after the client's first message.
#[derive(ZeroizeOnDrop)]
pub struct Exchange {
    verifier: Verifier,
    /// What the client's last message must say of the channel.
    binding: Vec<u8>,
    nonce: String,
    /// The messages so far, as both sides sign them.
    transcript: String,
}

impl Exchange {
    /// Takes the client's first message; the text is the answer. `certificate_hash` is the channel's, if it is TLS and binding
    /// was offered; `plus`: the client chose [`MECHANISM_PLUS`]. `nonce` is drawn by the caller.
    pub fn begin(
        verifier: Verifier,
        message: &[u8],
        plus: bool,
        certificate_hash: Option<&[u8]>,
        nonce: [u8; NONCE],
    ) -> Result<(Exchange, String), Failure> {
        let message = std::str::from_utf8(message).map_err(|_| Failure::Malformed("the message is not UTF-8"))?;
        let mut fields = message.splitn(3, ',');
        let (flag, authzid, bare) = match (fields.next(), fields.next(), fields.next()) {
            (Some(flag), Some(authzid), Some(bare)) => (flag, authzid, bare),
            _ => return Err(Failure::Malformed("the message is incomplete")),
        };
        match flag {
            "n" | "y" if plus => return Err(Failure::Malformed("channel binding was chosen, but is not used")),
            "n" => {}
            "y" if certificate_hash.is_some() => return Err(Failure::Downgrade),
            "y" => {}
            _ => match flag.strip_prefix("p=") {
                Some(_) if !plus => return Err(Failure::Malformed("channel binding is used, but was not chosen")),
                Some(BINDING) => {}
                Some(_) => return Err(Failure::Unsupported("another channel binding than tls-server-end-point")),
                None => return Err(Failure::Malformed("the channel binding flag is unknown")),
            },
        }
        if !authzid.is_empty() {
            return Err(Failure::Unsupported("an authorization identity"));
        }
        if bare.starts_with("m=") {
            return Err(Failure::Unsupported("a mandatory extension of SCRAM"));
        }
        // The name is the startup packet's; what stands here does not count.
        let mut attributes = bare.split(',');
        let named = attributes.next().is_some_and(|name| name.starts_with("n="));
        let theirs = attributes.next().and_then(|text| text.strip_prefix("r=")).unwrap_or_default();
        let printable = theirs.bytes().all(|b| (0x21..=0x7e).contains(&b));
        if !named || theirs.is_empty() || !printable {
            return Err(Failure::Malformed("the name or the nonce is missing"));
        }
        let nonce = format!("{theirs}{}", BASE64.encode(nonce));
        let answer = format!("r={nonce},s={},i={}", BASE64.encode(&verifier.salt), verifier.iterations);
        let mut binding = format!("{flag},,").into_bytes();
        if plus {
            binding.extend_from_slice(certificate_hash.ok_or(Failure::Malformed("there is no channel to bind to"))?);
        }
        let transcript = format!("{bare},{answer}");
        Ok((Exchange { verifier, binding, nonce, transcript }, answer))
    }

    /// Takes the client's last message; the text proves to the client that this server knows the password too.
    pub fn finish(self, message: &[u8]) -> Result<String, Failure> {
        let malformed = Failure::Malformed;
        let message = std::str::from_utf8(message).map_err(|_| malformed("the message is not UTF-8"))?;
        let (unproven, proof) = message.rsplit_once(",p=").ok_or(malformed("there is no proof"))?;
        let mut attributes = unproven.split(',');
        let channel = attributes.next().and_then(|text| text.strip_prefix("c="));
        let channel = channel.and_then(|text| BASE64.decode(text).ok()).ok_or(malformed("there is no channel"))?;
        let nonce = attributes.next().and_then(|text| text.strip_prefix("r="));
        if nonce != Some(&*self.nonce) {
            return Err(malformed("the nonce is another"));
        }
        if !bool::from(channel.ct_eq(&self.binding)) {
            return Err(Failure::Binding);
        }
        let proof = BASE64.decode(proof).ok().and_then(|bytes| <[u8; KEY]>::try_from(bytes).ok());
        let mut client_key = proof.ok_or(malformed("the proof is no proof"))?;
        let signed = [self.transcript.as_bytes(), b",", unproven.as_bytes()];
        let signature = mac(&self.verifier.stored_key, &signed);
        client_key.iter_mut().zip(signature).for_each(|(key, sign)| *key ^= sign);
        let proven = hash(&client_key).ct_eq(&self.verifier.stored_key);
        client_key.zeroize();
        if !bool::from(proven) {
            return Err(Failure::Proof);
        }
        Ok(format!("v={}", BASE64.encode(mac(&self.verifier.server_key, &signed))))
    }
}

/// `SaltedPassword`. A password that SASLprep does not take is used as it is, as in PostgreSQL.
fn salted(password: &str, salt: &[u8], iterations: u32) -> [u8; KEY] {
    let prepared = stringprep::saslprep(password).ok().filter(|text| !text.is_empty());
    let mut prepared = prepared.map_or_else(|| password.to_owned(), |text| text.into_owned());
    let rounds = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    let mut out = [0; KEY];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, prepared.as_bytes(), &mut out);
    prepared.zeroize();
    out
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; KEY];
    out.copy_from_slice(context.sign().as_ref());
    out
}

fn hash(bytes: &[u8]) -> [u8; KEY] {
    let mut out = [0; KEY];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client, for what the server is to answer.
    fn client_last(password: &str, first_bare: &str, server_first: &str, channel: &[u8]) -> String {
        let field = |name: &str| server_first.split(',').find_map(|f| f.strip_prefix(name)).unwrap();
        let salted = salted(password, &BASE64.decode(field("s=")).unwrap(), field("i=").parse().unwrap());
        let unproven = format!("c={},r={}", BASE64.encode(channel), field("r="));
        let client_key = mac(&salted, &[b"Client Key"]);
        let message = format!("{first_bare},{server_first},{unproven}");
        let signature = mac(&hash(&client_key), &[message.as_bytes()]);
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect();
        format!("{unproven},p={}", BASE64.encode(proof))
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = Verifier::new("pencil", &salt, 4096);
        assert_eq!(
            verifier.to_string(),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
        // The example's nonce is not one that a server of ours draws, so its last step stands here by itself.
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let exchange = Exchange {
            verifier,
            binding: b"n,,".to_vec(),
            nonce: nonce.into(),
            transcript: format!("n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
        };
        let last = format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        assert_eq!(exchange.finish(last.as_bytes()).unwrap(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn only_the_password_and_only_this_channel() {
        let verifier = Verifier::parse(&verifier("sécret", [7; SALT])).unwrap();
        let (bare, hash) = ("n=,r=abc", b"certificate".as_slice());
        let try_with = |password: &str, flag: &str, plus: bool, offered: Option<&[u8]>, channel: &[u8]| {
            let first = format!("{flag},,{bare}");
            let (exchange, answer) = Exchange::begin(verifier.clone(), first.as_bytes(), plus, offered, [1; NONCE])?;
            exchange.finish(client_last(password, bare, &answer, channel).as_bytes())
        };
        let bound = [b"p=tls-server-end-point,,".as_slice(), hash].concat();
        assert!(try_with("sécret", "n", false, None, b"n,,").unwrap().starts_with("v="));
        assert!(try_with("sécret", "p=tls-server-end-point", true, Some(hash), &bound).is_ok());
        assert_eq!(try_with("secret", "n", false, None, b"n,,"), Err(Failure::Proof));
        let other = b"p=tls-server-end-point,,another".as_slice();
        assert_eq!(try_with("sécret", "p=tls-server-end-point", true, Some(hash), other), Err(Failure::Binding));
        assert_eq!(try_with("sécret", "y", false, Some(hash), b"y,,"), Err(Failure::Downgrade));
        assert_eq!(try_with("sécret", "n", false, None, b"y,,"), Err(Failure::Binding));
        assert!(matches!(try_with("sécret", "n", true, Some(hash), b"n,,"), Err(Failure::Malformed(_))));
        assert!(matches!(try_with("sécret", "p=tls-unique", true, Some(hash), b""), Err(Failure::Unsupported(_))));
    }

    #[test]
    fn every_cut_message_is_refused() {
        let verifier = Verifier::new("x", b"salt", 1);
        let first = b"n,,n=,r=abc";
        for cut in 0..first.len() - 3 {
            assert!(Exchange::begin(verifier.clone(), &first[..cut], false, None, [0; NONCE]).is_err(), "{cut}");
        }
        let begin = || Exchange::begin(verifier.clone(), first, false, None, [0; NONCE]).unwrap();
        let last = client_last("x", "n=,r=abc", &begin().1, b"n,,");
        for cut in 0..last.len() {
            assert!(begin().0.finish(&last.as_bytes()[..cut]).is_err(), "{cut}");
        }
        assert!(begin().0.finish(last.as_bytes()).is_ok());
    }

    #[test]
    fn passwords_are_prepared_and_secrets_not_shown() {
        // SASLprep: a soft hyphen is nothing, a no-break space is a space; what it forbids is taken as it is.
        let kept = Verifier::parse(&verifier("I\u{ad}X a", [1; SALT])).unwrap();
        assert!(kept.matches("IX\u{a0}a") && !kept.matches("ix a"));
        let odd = Verifier::new("\u{7}bell", b"s", 1);
        assert!(odd.matches("\u{7}bell") && !odd.matches("bell"));
        assert_eq!(format!("{kept:?}"), "Verifier(…)");
        for text in ["", "md5abc", "SCRAM-SHA-256$0:c2FsdA==$x:y", "SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA"] {
            assert!(!is_verifier(text), "{text}");
        }
        let (one, same, other) = (Verifier::mock(b"k", "a"), Verifier::mock(b"k", "a"), Verifier::mock(b"k", "b"));
        assert!(one == same && one != other && !one.matches(""));
    }
}

//! Pieces: parts of a database's file, of one size but for the last, known by a sum of what is in them.
//!
//! Without a key a piece's file is named by the sum (SHA-256) and has the content as it is. With a key it is named by a keyed
//! sum, so that the names say nothing either, and is sealed (ChaCha20-Poly1305) for its name. The nonce is made of the sum: the
//! same content gives the same file, so content that is there already is known without being read; two contents have
//! different ones.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::ops::Range;

/// Bytes in a piece: what a change of one page costs a later backup.
pub const SIZE: u32 = 1 << 18;

/// SHA-256 of some content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sum([u8; 32]);

impl Sum {
    pub fn of(content: &[u8]) -> Sum {
        Sum(Sha256::digest(content).into())
    }

    pub fn parse(text: &str) -> Option<Sum> {
        let mut sum = [0; 32];
        hex::decode_to_slice(text, &mut sum).ok()?;
        // There is one form.
        Some(Sum(sum)).filter(|sum| sum.to_string() == text)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sum, D::Error> {
        let text = String::deserialize(deserializer)?;
        Sum::parse(&text).ok_or_else(|| serde::de::Error::custom("this is no sum"))
    }
}

/// How many pieces a file of this length has.
pub fn count(length: u64) -> u64 {
    length.div_ceil(SIZE.into())
}

/// Where a piece of such a file is; nothing if there is none of that number.
pub fn range(length: u64, number: u64) -> Option<Range<u64>> {
    let start = number.checked_mul(SIZE.into()).filter(|start| *start < length)?;
    Some(start..length.min(start + u64::from(SIZE)))
}

/// What seals pieces and manifests: three keys made of one.
pub struct Key {
    names: hmac::Key,
    nonces: hmac::Key,
    seal: LessSafeKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Of 64 hexadecimal digits, as [`Key::text`] makes them.
    pub fn parse(text: &str) -> Result<Key, String> {
        let mut secret = [0; 32];
        hex::decode_to_slice(text.trim(), &mut secret).map_err(|_| {
            "this is no key: 64 hexadecimal digits are expected\n  `quorate backup key --out FILE` makes one".to_owned()
        })?;
        let whole = hkdf::Salt::new(hkdf::HKDF_SHA256, b"quorate backup").extract(&secret);
        let (names, nonces, seal) = (
            whole.expand(&[b"names"], hkdf::HKDF_SHA256),
            whole.expand(&[b"nonces"], hkdf::HKDF_SHA256),
            whole.expand(&[b"seal"], &CHACHA20_POLY1305),
        );
        let (Ok(names), Ok(nonces), Ok(seal)) = (names, nonces, seal) else {
            return Err("no keys can be made of this one".into());
        };
        Ok(Key { names: signer(names), nonces: signer(nonces), seal: LessSafeKey::new(UnboundKey::from(seal)) })
    }

    /// A key in the form that is read.
    pub fn text(secret: [u8; 32]) -> String {
        hex::encode(secret)
    }

    /// Tells keys apart without telling anything of them.
    pub fn mark(&self) -> String {
        hex::encode(&hmac::sign(&self.names, b"which key is this").as_ref()[..8])
    }

    /// Seals something under a name; whatever gets the same nonce must be the same.
    pub fn seal(&self, name: &str, nonce: [u8; NONCE_LEN], content: &[u8]) -> Vec<u8> {
        let mut sealed = content.to_vec();
        let nonce_ = Nonce::assume_unique_for_key(nonce);
        self.seal
            .seal_in_place_append_tag(nonce_, Aad::from(name.as_bytes()), &mut sealed)
            .expect("it is not too long");
        [&nonce[..], &sealed].concat()
    }

    /// What was sealed under this name; nothing if it is not that.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let (nonce, mut sealed) = (Nonce::try_assume_unique_for_key(nonce).ok()?, sealed.to_vec());
        let length = self.seal.open_in_place(nonce, Aad::from(name.as_bytes()), &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

fn signer(made: hkdf::Okm<'_, hkdf::Algorithm>) -> hmac::Key {
    let mut bytes = [0; 32];
    made.fill(&mut bytes).expect("as long as a sum");
    hmac::Key::new(hmac::HMAC_SHA256, &bytes)
}

/// What a piece is called in its directory.
pub fn name(sum: Sum, key: Option<&Key>) -> String {
    let name = match key {
        None => sum.to_string(),
        Some(key) => hex::encode(hmac::sign(&key.names, &sum.0).as_ref()),
    };
    format!("pieces/{}/{name}", &name[..2])
}

/// What is kept of a piece.
pub fn wrap(sum: Sum, content: Vec<u8>, key: Option<&Key>) -> Vec<u8> {
    let Some(key) = key else { return content };
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&hmac::sign(&key.nonces, &sum.0).as_ref()[..NONCE_LEN]);
    key.seal(&name(sum, Some(key)), nonce, &content)
}

/// The content of a piece, of which so many bytes are expected. Errors: what is wrong with what was kept.
pub fn unwrap(sum: Sum, length: u64, kept: Vec<u8>, key: Option<&Key>) -> Result<Vec<u8>, String> {
    let found = kept.len() as u64;
    let content = match key {
        None => Some(kept),
        Some(key) => key.open(&name(sum, Some(key)), &kept),
    };
    let expected = length + key.map_or(0, |_| (NONCE_LEN + CHACHA20_POLY1305.tag_len()) as u64);
    match content {
        _ if found < expected => Err(format!("has {found} of {expected} bytes")),
        Some(content) if Sum::of(&content) == sum && content.len() as u64 == length => Ok(content),
        _ => Err("is not what was written".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_file() {
        let size = u64::from(SIZE);
        for length in [0, 1, 4096, size - 1, size, size + 1, 3 * size + 7] {
            let ranges: Vec<_> = (0..count(length)).map(|number| range(length, number).unwrap()).collect();
            assert_eq!(ranges.iter().map(|r| r.end - r.start).sum::<u64>(), length);
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!(range(length, count(length)), None);
        }
        assert_eq!(range(1, u64::MAX), None);
    }

    #[test]
    fn whatever_is_wrong_with_a_piece_is_seen() {
        let keys = [None, Some(Key::parse(&Key::text([7; 32])).unwrap())];
        for key in &keys {
            let key = key.as_ref();
            let content: Vec<u8> = (0..5000u32).map(|i| (i * 7) as u8).collect();
            let (sum, length) = (Sum::of(&content), content.len() as u64);
            let kept = wrap(sum, content.clone(), key);
            assert_eq!(kept, wrap(sum, content.clone(), key), "the same content is the same file");
            assert_eq!(unwrap(sum, length, kept.clone(), key), Ok(content.clone()));
            assert_eq!(kept == content, key.is_none());
            for bit in [0, 7, 12 * 8, 8 * kept.len() / 2, 8 * kept.len() - 1] {
                let mut damaged = kept.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(unwrap(sum, length, damaged, key), Err("is not what was written".to_owned()), "bit {bit}");
            }
            for cut in [0, 1, 11, kept.len() - 1] {
                let cut = unwrap(sum, length, kept[..cut].to_vec(), key);
                assert!(cut.unwrap_err().ends_with(&format!("of {} bytes", kept.len())));
            }
            let longer = [&kept[..], &[0]].concat();
            assert!(unwrap(sum, length, longer, key).is_err());
            let other = Sum::of(b"other");
            assert!(unwrap(other, length, kept, key).is_err(), "a piece in another's place");
        }
        let other = Key::parse(&Key::text([8; 32])).unwrap();
        let (sum, mine) = (Sum::of(b"x"), keys[1].as_ref());
        assert!(unwrap(sum, 1, wrap(sum, b"x".to_vec(), mine), Some(&other)).is_err());
        assert_ne!(name(sum, mine), name(sum, Some(&other)));
        assert_ne!(other.mark(), mine.unwrap().mark());
        assert!(Key::parse("12").is_err());
    }

    #[test]
    fn sums_have_one_form() {
        let sum = Sum::of(b"");
        assert_eq!(sum.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(Sum::parse(&sum.to_string()), Some(sum));
        assert_eq!(Sum::parse("e3"), None);
        assert_eq!(Sum::parse(&sum.to_string().to_uppercase()), None);
        assert_eq!(name(sum, None), format!("pieces/e3/{sum}"));
    }
}

//! Finds out whether a client is who it says: the rules choose the method, the method asks for its proof.
//!
//! What an outsider can learn from a refusal is the same whether the role is not there, has no password, or has another.
//! The log says which, without anything that is secret. A failure costs time, and an address may fail only so often.

use super::encode;
use super::frame::violation;
use super::socket::Socket;
use super::startup::Hello;
use crate::access::{Failures, Method, Rules, Visitor};
use crate::clock::now_micros;
use crate::error::{SqlError, SqlResult, state};
use crate::pki::{Keys, Tls, common_name, node_name};
use crate::scram::{Exchange, Failure, MECHANISM, MECHANISM_PLUS, Verifier};
use bytes::{Buf, Bytes, BytesMut};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use pgwire::messages::startup::Authentication;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

/// What a failed login costs.
const PENALTY: Duration = Duration::from_millis(500);
/// The longest message of an exchange.
const MAX_MESSAGE: usize = 65_536;

/// What is known of a role that wants to log in.
#[derive(Clone, Debug)]
pub struct Account {
    /// As the catalog has it; not for logs.
    pub verifier: Option<String>,
    pub can_login: bool,
    pub superuser: bool,
    /// The password counts until then: µs since 2000-01-01 00:00 UTC.
    pub valid_until: Option<i64>,
    /// −1: none.
    pub connection_limit: i32,
}

/// Where roles are looked up.
pub trait Accounts: Send + Sync + 'static {
    /// The role of a name, as of now; an error if nobody can say what it is now.
    fn look_up(&self, role: &str) -> BoxFuture<'static, SqlResult<Option<Account>>>;
}

/// Everybody is there and may do everything.
pub struct Everybody;

impl Accounts for Everybody {
    fn look_up(&self, _: &str) -> BoxFuture<'static, SqlResult<Option<Account>>> {
        Box::pin(async move { Ok(Some(Account::OF_THE_NODE)) })
    }
}

impl Account {
    const OF_THE_NODE: Account =
        Account { verifier: None, can_login: true, superuser: true, valid_until: None, connection_limit: -1 };
}

/// Who watches the door: the same for all connections of a node.
pub struct Guard {
    /// Without, there is no encryption.
    pub keys: Option<Arc<Keys>>,
    pub rules: Rules,
    pub accounts: Arc<dyn Accounts>,
    failures: Mutex<Failures>,
    /// How many logins have failed.
    pub count: Arc<AtomicU64>,
    since: Instant,
    /// What verifiers of roles without a password are made of.
    secret: [u8; 32],
}

impl Guard {
    pub fn new(keys: Option<Arc<Keys>>, rules: Rules, accounts: Arc<dyn Accounts>) -> Guard {
        let secret = keys.as_ref().map_or_else(rand::random, |keys| keys.secret());
        Guard {
            keys,
            rules,
            accounts,
            failures: Mutex::default(),
            count: Arc::default(),
            since: Instant::now(),
            secret,
        }
    }

    /// What encrypts new connections.
    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.keys.as_ref().map(|keys| keys.now())
    }

    fn note_failure(&self, address: IpAddr) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.failures.lock().failed(address, self.now());
    }

    fn now(&self) -> u64 {
        self.since.elapsed().as_secs()
    }

    /// Whether a password is a role's; for those who do not speak SCRAM with us.
    pub async fn check_password(&self, address: IpAddr, role: &str, password: &str) -> SqlResult<Option<Account>> {
        if self.failures.lock().blocked(address, self.now()) {
            return Err(too_often());
        }
        let account = self.accounts.look_up(role).await?;
        let (verifier, usable) = self.verifier(role, account.as_ref());
        let password = password.to_owned();
        // Thousands of hashes are nothing for a thread that others wait for.
        let matches = tokio::task::spawn_blocking(move || verifier.matches(&password)).await.unwrap_or(false);
        match account.filter(|account| matches && usable.is_ok() && account.can_login) {
            Some(account) => Ok(Some(account)),
            None => {
                self.note_failure(address);
                tracing::warn!(%address, role, "a request with a wrong password was refused");
                tokio::time::sleep(PENALTY).await;
                Ok(None)
            }
        }
    }

    /// The account of a visitor who does not come as a client does, under the rules that hold for clients: `proven` if he has
    /// shown the role's password.
    pub async fn vouch(&self, visitor: &Visitor<'_>, proven: bool) -> SqlResult<Account> {
        let refused = |message: String| SqlError::new(state::INVALID_AUTHORIZATION_SPECIFICATION, message).fatal();
        match self.rules.method(visitor) {
            None => return Err(no_rule(visitor, "no pg_hba.conf entry for")),
            Some(Method::Reject) => return Err(no_rule(visitor, "pg_hba.conf rejects connection for")),
            Some(Method::Cert) => return Err(refused("connection requires a valid client certificate".into())),
            Some(Method::Scram) if !proven => return Err(wrong_password(visitor.user).fatal()),
            Some(Method::Scram | Method::Trust) => {}
        }
        match self.accounts.look_up(visitor.user).await? {
            None => Err(refused(format!("role \"{}\" does not exist", visitor.user))),
            Some(account) if !account.can_login => {
                Err(refused(format!("role \"{}\" is not permitted to log in", visitor.user)))
            }
            Some(account) => Ok(account),
        }
    }

    /// What a password is compared with, and why none can be right.
    fn verifier(&self, role: &str, account: Option<&Account>) -> (Verifier, Result<(), &'static str>) {
        let mock = || Verifier::mock(&self.secret, role);
        let Some(account) = account else { return (mock(), Err("the role does not exist")) };
        match account.verifier.as_deref().map(Verifier::parse) {
            None => (mock(), Err("the role has no password")),
            Some(None) => (mock(), Err("the role's password is kept in a form that is not known")),
            Some(Some(verifier)) => {
                let expired = account.valid_until.is_some_and(|until| until < now_micros());
                (verifier, if expired { Err("the role's password has expired") } else { Ok(()) })
            }
        }
    }

    /// Lets the client prove who it is. The inner error is for the client.
    pub async fn admit(
        &self,
        socket: &mut Socket,
        input: &mut BytesMut,
        hello: &Hello,
    ) -> io::Result<SqlResult<Account>> {
        if let Socket::Inner(_, account) = socket {
            return Ok(Ok(account.as_deref().cloned().unwrap_or(Account::OF_THE_NODE)));
        }
        let peer = socket.tcp().ok_or(io::ErrorKind::NotConnected)?.peer_addr()?;
        let address = peer.ip().to_canonical();
        if self.failures.lock().blocked(address, self.now()) {
            return Ok(Err(too_often()));
        }
        let encrypted = socket.is_encrypted();
        let visitor = Visitor { database: &hello.database, user: &hello.user, address, encrypted };
        let method = match self.rules.method(&visitor) {
            None => return Ok(Err(no_rule(&visitor, "no pg_hba.conf entry for"))),
            Some(Method::Reject) => return Ok(Err(no_rule(&visitor, "pg_hba.conf rejects connection for"))),
            Some(method) => method,
        };
        let account = match self.accounts.look_up(&hello.user).await {
            Ok(account) => account,
            Err(error) => return Ok(Err(error.fatal())),
        };
        let proven = match method {
            Method::Trust | Method::Reject => Ok(()),
            Method::Cert => certified(socket, &hello.user),
            Method::Scram => self.by_password(socket, input, hello, account.as_ref()).await?,
        };
        if let Err(refused) = proven {
            self.note_failure(address);
            let (user, database, why) = (&hello.user, &hello.database, refused.why);
            tracing::warn!(%address, user, database, why, "a login failed");
            tokio::time::sleep(PENALTY).await;
            return Ok(Err(refused.error.fatal()));
        }
        let refused = |message: String| SqlError::new(state::INVALID_AUTHORIZATION_SPECIFICATION, message).fatal();
        Ok(match account {
            None => Err(refused(format!("role \"{}\" does not exist", hello.user))),
            Some(account) if !account.can_login => {
                Err(refused(format!("role \"{}\" is not permitted to log in", hello.user)))
            }
            Some(account) => Ok(account),
        })
    }

    async fn by_password(
        &self,
        socket: &mut Socket,
        input: &mut BytesMut,
        hello: &Hello,
        account: Option<&Account>,
    ) -> io::Result<Result<(), Refused>> {
        let binding = socket.binding().map(<[u8]>::to_vec);
        let mut mechanisms = vec![MECHANISM.to_owned()];
        if binding.is_some() {
            mechanisms.insert(0, MECHANISM_PLUS.to_owned());
        }
        say(socket, &Authentication::SASL(mechanisms)).await?;
        let (verifier, usable) = self.verifier(&hello.user, account);
        let mut first = match response(socket, input).await? {
            Ok(message) => message,
            Err(error) => return Ok(Err(Refused { error, why: "the client does not follow the protocol" })),
        };
        let Some((mechanism, message)) = initial(&mut first) else {
            return Ok(Err(malformed("the first message is incomplete")));
        };
        let plus = match mechanism.as_ref() {
            MECHANISM => false,
            MECHANISM_PLUS if binding.is_some() => true,
            _ => return Ok(Err(malformed("the client chose a mechanism that was not offered"))),
        };
        let begun = Exchange::begin(verifier, &message, plus, binding.as_deref(), rand::random());
        let (exchange, answer) = match begun {
            Ok(begun) => begun,
            Err(failure) => return Ok(Err(refused(failure, &hello.user))),
        };
        say(socket, &Authentication::SASLContinue(Bytes::from(answer))).await?;
        let last = match response(socket, input).await? {
            Ok(message) => message,
            Err(error) => return Ok(Err(Refused { error, why: "the client does not follow the protocol" })),
        };
        // A role that cannot log in is refused as late as one with a wrong password.
        let wrong = |why| Err(Refused { error: wrong_password(&hello.user), why });
        match (exchange.finish(&last), usable) {
            (_, Err(why)) => Ok(wrong(why)),
            (Err(failure), Ok(())) => Ok(Err(refused(failure, &hello.user))),
            (Ok(proof), Ok(())) => {
                let mut out = Vec::new();
                encode::put(&mut out, &Authentication::SASLFinal(Bytes::from(proof)));
                socket.write_all(&out).await?;
                Ok(Ok(()))
            }
        }
    }
}

/// Why a client was not let in: what it is told, and what the log is.
struct Refused {
    error: SqlError,
    why: &'static str,
}

fn malformed(why: &'static str) -> Refused {
    Refused { error: violation("malformed SCRAM message"), why }
}

fn refused(failure: Failure, user: &str) -> Refused {
    match failure {
        Failure::Malformed(why) => malformed(why),
        Failure::Unsupported(what) => Refused { error: SqlError::unsupported(what), why: what },
        Failure::Downgrade => {
            let code = state::INVALID_AUTHORIZATION_SPECIFICATION;
            let error = SqlError::new(code, "SCRAM channel binding negotiation error");
            Refused { error, why: "the client was told that there is no channel binding: somebody may be between" }
        }
        Failure::Binding => {
            let error = SqlError::new(state::INVALID_AUTHORIZATION_SPECIFICATION, "SCRAM channel binding check failed");
            Refused { error, why: "the client is bound to another certificate: somebody may be between" }
        }
        Failure::Proof => Refused { error: wrong_password(user), why: "the password is wrong" },
    }
}

fn wrong_password(user: &str) -> SqlError {
    SqlError::new(state::INVALID_PASSWORD, format!("password authentication failed for user \"{user}\""))
}

fn too_often() -> SqlError {
    let message = "too many logins from this address have failed";
    SqlError::new(state::INVALID_AUTHORIZATION_SPECIFICATION, message).hint("Try again in a minute.").fatal()
}

fn no_rule(visitor: &Visitor<'_>, begin: &str) -> SqlError {
    let Visitor { database, user, address, encrypted } = visitor;
    let channel = if *encrypted { "SSL encryption" } else { "no encryption" };
    let message = format!("{begin} host \"{address}\", user \"{user}\", database \"{database}\", {channel}");
    SqlError::new(state::INVALID_AUTHORIZATION_SPECIFICATION, message).fatal()
}

fn certified(socket: &Socket, user: &str) -> Result<(), Refused> {
    let code = state::INVALID_AUTHORIZATION_SPECIFICATION;
    let Some(certificate) = socket.certificate() else {
        let error = SqlError::new(code, "connection requires a valid client certificate");
        return Err(Refused { error, why: "the client has no certificate" });
    };
    // A node's name is no role.
    if node_name(&certificate).is_none() && common_name(&certificate).as_deref() == Some(user) {
        return Ok(());
    }
    let error = SqlError::new(code, format!("certificate authentication failed for user \"{user}\""));
    Err(Refused { error, why: "the certificate is somebody else's" })
}

async fn say(socket: &mut Socket, message: &Authentication) -> io::Result<()> {
    let mut out = Vec::new();
    encode::put(&mut out, message);
    socket.write_all(&out).await?;
    socket.flush().await
}

/// The client's next message, which must be one of an authentication.
async fn response(socket: &mut Socket, input: &mut BytesMut) -> io::Result<SqlResult<Bytes>> {
    loop {
        if let [kind, a, b, c, d, ..] = **input {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            if kind != b'p' || !(4..=MAX_MESSAGE).contains(&length) {
                return Ok(Err(violation(format!("expected SASL response, got message type {kind}"))));
            }
            if input.len() > length {
                let mut message = input.split_to(length + 1);
                message.advance(5);
                return Ok(Ok(message.freeze()));
            }
        }
        if socket.read_some(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The mechanism that the client has chosen, and its first message.
fn initial(body: &mut Bytes) -> Option<(String, Bytes)> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let mechanism = String::from_utf8(body.split_to(end).to_vec()).ok()?;
    body.advance(1);
    if body.len() < 4 {
        return None;
    }
    let length = usize::try_from(body.get_i32()).ok()?;
    (body.len() == length).then(|| (mechanism, body.clone()))
}

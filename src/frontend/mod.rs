//! Postgres wire: sockets and messages in, messages out. Knows no Raft index.

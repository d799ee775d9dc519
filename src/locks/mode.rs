//! Lock modes and what conflicts with what (PostgreSQL documentation, "Explicit Locking").

use crate::sql::plan::{LockMode, LockStrength};

/// A mode of a table or of a row lock. The two kinds never meet on one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Mode {
    Table(LockMode),
    Row(LockStrength),
}

/// All modes of tables, weakest first: the order of their bits.
pub const TABLE_MODES: [LockMode; 8] = [
    LockMode::AccessShare,
    LockMode::RowShare,
    LockMode::RowExclusive,
    LockMode::ShareUpdateExclusive,
    LockMode::Share,
    LockMode::ShareRowExclusive,
    LockMode::Exclusive,
    LockMode::AccessExclusive,
];

/// All strengths of row locks, weakest first: the order of their bits.
pub const ROW_STRENGTHS: [LockStrength; 4] =
    [LockStrength::KeyShare, LockStrength::Share, LockStrength::NoKeyUpdate, LockStrength::Update];

/// Row `i`: the modes that conflict with table mode `i`; the lowest bit is ACCESS SHARE.
const TABLE_CONFLICTS: [u8; 8] = [
    0b1000_0000, // ACCESS SHARE
    0b1100_0000, // ROW SHARE
    0b1111_0000, // ROW EXCLUSIVE
    0b1111_1000, // SHARE UPDATE EXCLUSIVE
    0b1110_1100, // SHARE
    0b1111_1100, // SHARE ROW EXCLUSIVE
    0b1111_1110, // EXCLUSIVE
    0b1111_1111, // ACCESS EXCLUSIVE
];

/// Row `i`: the strengths that conflict with row strength `i`; the lowest bit is FOR KEY SHARE.
const ROW_CONFLICTS: [u8; 4] = [
    0b1000, // FOR KEY SHARE
    0b1100, // FOR SHARE
    0b1110, // FOR NO KEY UPDATE
    0b1111, // FOR UPDATE
];

impl Mode {
    pub(super) fn index(self) -> usize {
        match self {
            Mode::Table(mode) => mode as usize,
            Mode::Row(strength) => strength as usize,
        }
    }

    pub(super) fn bit(self) -> u8 {
        1 << self.index()
    }

    /// The modes, as bits, that another transaction must not hold beside this one.
    pub(super) fn conflicts(self) -> u8 {
        match self {
            Mode::Table(mode) => TABLE_CONFLICTS[mode as usize],
            Mode::Row(strength) => ROW_CONFLICTS[strength as usize],
        }
    }

    /// Whether two transactions cannot have these modes of one target at once.
    pub fn conflicts_with(self, other: Mode) -> bool {
        self.conflicts() & other.bit() != 0
    }

    /// As `pg_locks.mode` shows it; row strengths appear as the heavyweight modes that PostgreSQL takes for them.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Table(LockMode::AccessShare) | Mode::Row(LockStrength::KeyShare) => "AccessShareLock",
            Mode::Table(LockMode::RowShare) | Mode::Row(LockStrength::Share) => "RowShareLock",
            Mode::Table(LockMode::RowExclusive) => "RowExclusiveLock",
            Mode::Table(LockMode::ShareUpdateExclusive) => "ShareUpdateExclusiveLock",
            Mode::Table(LockMode::Share) => "ShareLock",
            Mode::Table(LockMode::ShareRowExclusive) => "ShareRowExclusiveLock",
            Mode::Table(LockMode::Exclusive) | Mode::Row(LockStrength::NoKeyUpdate) => "ExclusiveLock",
            Mode::Table(LockMode::AccessExclusive) | Mode::Row(LockStrength::Update) => "AccessExclusiveLock",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two tables of the documentation, as they are printed there.
    #[test]
    fn conflicts_are_those_of_the_documentation() {
        let table = "
            . . . . . . . X
            . . . . . . X X
            . . . . X X X X
            . . . X X X X X
            . . X X . X X X
            . . X X X X X X
            . X X X X X X X
            X X X X X X X X";
        let row = "
            . . . X
            . . X X
            . X X X
            X X X X";
        let drawn = |modes: &[Mode]| -> String {
            let cell = |a: &Mode, b: &Mode| if a.conflicts_with(*b) { "X" } else { "." };
            let line = |a| modes.iter().map(|b| cell(a, b)).collect::<Vec<_>>().join(" ");
            modes.iter().map(|a| format!("\n            {}", line(a))).collect()
        };
        assert_eq!(drawn(&TABLE_MODES.map(Mode::Table)), table);
        assert_eq!(drawn(&ROW_STRENGTHS.map(Mode::Row)), row);
    }

    #[test]
    fn bits_follow_the_order_of_the_lists() {
        for (i, mode) in TABLE_MODES.iter().enumerate() {
            assert_eq!(Mode::Table(*mode).index(), i);
        }
        for (i, strength) in ROW_STRENGTHS.iter().enumerate() {
            assert_eq!(Mode::Row(*strength).index(), i);
        }
    }
}

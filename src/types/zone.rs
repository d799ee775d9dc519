//! Time zones: names and offsets to and from UTC, from the tz database built into the binary (so all replicas
//! built alike agree). A zone is looked up once per thread and name.
//!
//! The database covers the years −9999…9999; later years follow the 400-year cycle of the calendar, earlier ones
//! have the zone's first offset (local mean time).

use super::datetime::USECS_PER_SEC;
use crate::error::{SqlError, SqlResult, state};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use std::cell::RefCell;
use std::sync::LazyLock;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Seconds from 1970-01-01 to 2000-01-01.
const EPOCH_2000: i64 = 946_684_800;
/// 400 Gregorian years in seconds.
const CYCLE: i64 = 146_097 * 86_400;
/// The range in which the database is asked, well inside of what it covers.
const FIRST: i64 = -9990 * 31_556_952;
const LAST: i64 = 253_000_000_000;

/// A time zone.
#[derive(Clone, Debug)]
pub enum Zone {
    Utc,
    /// Seconds east of Greenwich.
    Fixed(i32),
    Named(TimeZone),
    /// What an abbreviation, in lower case, means in a zone.
    Abbreviation(TimeZone, &'static str),
}

thread_local! {
    /// The zones this thread used last; sessions of one application nearly always share one.
    static RECENT: RefCell<Vec<(String, Zone)>> = const { RefCell::new(Vec::new()) };
}

impl Zone {
    /// Finds the zone that the setting `TimeZone` means: a number of hours east ("-5", "+5.5"), or what [`Zone::look_up`]
    /// finds.
    ///
    /// Errors: 22023.
    pub fn find(name: &str) -> SqlResult<Zone> {
        if name == "UTC" {
            return Ok(Zone::Utc);
        }
        RECENT.with_borrow_mut(|recent| {
            if let Some((_, zone)) = recent.iter().find(|(known, _)| known == name) {
                return Ok(zone.clone());
            }
            let hours = name.parse::<f64>().ok().filter(|hours| hours.abs() <= 168.0);
            let zone = match hours {
                Some(hours) => Zone::Fixed((hours * 3600.0) as i32),
                None => Zone::look_up(name).ok_or_else(|| not_recognized(name))?,
            };
            if recent.len() == 8 {
                recent.remove(0);
            }
            recent.push((name.to_owned(), zone.clone()));
            Ok(zone)
        })
    }

    /// A zone by IANA name (any case), `UTC`, or a POSIX specification ("EST5EDT", "<+03>-03", "+02"), whose signs count west
    /// of Greenwich.
    pub fn look_up(name: &str) -> Option<Zone> {
        if ["utc", "gmt", "z", "zulu", "etc/utc"].iter().any(|utc| name.eq_ignore_ascii_case(utc)) {
            return Some(Zone::Utc);
        }
        if let Ok(zone) = DATABASE.get(name) {
            return Some(Zone::Named(zone));
        }
        if let Some(west) = name.strip_prefix(['+', '-']) {
            let seconds = clock_offset(west)?;
            return Some(Zone::Fixed(if name.starts_with('+') { -seconds } else { seconds }));
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return clock_offset(name).map(|seconds| Zone::Fixed(-seconds));
        }
        if !name.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        // Without rules for its summer time those of the United States apply.
        let american = format!("{name},M3.2.0,M11.1.0");
        if let Ok(zone) = TimeZone::posix(name).or_else(|_| TimeZone::posix(&american)) {
            return Some(Zone::Named(zone));
        }
        // A name in angle brackets may be shorter than POSIX has it.
        let offset = name.strip_prefix('<')?.split_once('>')?.1;
        let seconds = clock_offset(offset.strip_prefix(['+', '-']).unwrap_or(offset))?;
        Some(Zone::Fixed(if offset.starts_with('-') { seconds } else { -seconds }))
    }

    /// The names in the database.
    pub fn names() -> Vec<String> {
        DATABASE.available().map(|name| name.to_string()).collect()
    }

    /// Offset east of UTC in seconds at `seconds` since 2000-01-01 UTC.
    pub fn offset_at(&self, seconds: i64) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Fixed(offset) => *offset,
            Zone::Named(zone) => {
                let stamp = jiff::Timestamp::from_second(into_range(seconds + EPOCH_2000)).unwrap_or_default();
                zone.to_offset(stamp).seconds()
            }
            Zone::Abbreviation(zone, name) => {
                let stamp = jiff::Timestamp::from_second(into_range(seconds + EPOCH_2000)).unwrap_or_default();
                meaning(zone, name, stamp)
            }
        }
    }

    /// The abbreviation in force ("PST"), and whether it is daylight saving time.
    pub fn abbreviation_at(&self, seconds: i64) -> (String, bool) {
        match self {
            Zone::Utc => ("UTC".into(), false),
            Zone::Fixed(offset) => (offset_text(*offset), false),
            Zone::Named(zone) => {
                let stamp = jiff::Timestamp::from_second(into_range(seconds + EPOCH_2000)).unwrap_or_default();
                let info = zone.to_offset_info(stamp);
                (info.abbreviation().to_owned(), info.dst().is_dst())
            }
            Zone::Abbreviation(_, name) => (name.to_ascii_uppercase(), false),
        }
    }

    /// Offset of a local time given in seconds since 2000-01-01 00:00 local. A time that does not exist (the clock
    /// was put forward) takes the offset from before; a time that exists twice takes the later offset.
    pub fn offset_of_local(&self, local: i64) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Fixed(offset) => *offset,
            Zone::Named(zone) => {
                let civil = into_range(local + EPOCH_2000);
                let Ok(stamp) = jiff::Timestamp::from_second(civil) else { return 0 };
                let ambiguous = zone.to_ambiguous_timestamp(jiff::tz::Offset::UTC.to_datetime(stamp));
                match ambiguous.offset() {
                    AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
                    AmbiguousOffset::Gap { before, .. } => before.seconds(),
                    AmbiguousOffset::Fold { after, .. } => after.seconds(),
                }
            }
            Zone::Abbreviation(zone, _) => {
                let utc = local - i64::from(Zone::Named(zone.clone()).offset_of_local(local));
                self.offset_at(utc)
            }
        }
    }

    /// UTC µs of local µs; `None` on overflow.
    pub fn to_utc(&self, local: i64) -> Option<i64> {
        let offset = self.offset_of_local(local.div_euclid(USECS_PER_SEC));
        local.checked_sub(i64::from(offset) * USECS_PER_SEC)
    }

    /// Local µs of UTC µs; `None` on overflow.
    pub fn to_local(&self, utc: i64) -> Option<i64> {
        let offset = self.offset_at(utc.div_euclid(USECS_PER_SEC));
        utc.checked_add(i64::from(offset) * USECS_PER_SEC)
    }
}

fn into_range(unix: i64) -> i64 {
    if unix > LAST { unix - (unix - LAST).div_euclid(CYCLE) * CYCLE - CYCLE } else { unix.max(FIRST) }
}

pub(crate) fn not_recognized(name: &str) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized"))
}

/// The name of the zone of a fixed offset east of Greenwich, as PostgreSQL shows it: `<+03>-03`.
pub fn fixed_name(offset: i32) -> String {
    // Zero, too, has the other sign.
    let west = if offset == 0 { "-00".to_owned() } else { offset_text(-offset) };
    format!("<{}>{west}", offset_text(offset))
}

/// "+03" or "+05:30".
fn offset_text(offset: i32) -> String {
    let (sign, abs) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    match abs / 60 % 60 {
        0 => format!("{sign}{:02}", abs / 3600),
        minutes => format!("{sign}{:02}:{minutes:02}", abs / 3600),
    }
}

/// Seconds of "5", "05:30", "053000".
fn clock_offset(text: &str) -> Option<i32> {
    let mut parts = text.split(':').map(str::parse::<i32>);
    let hours = parts.next()?.ok()?;
    let minutes = parts.next().unwrap_or(Ok(0)).ok()?;
    let seconds = parts.next().unwrap_or(Ok(0)).ok()?;
    let fits = (0..=167).contains(&hours) && (0..60).contains(&minutes) && (0..60).contains(&seconds);
    fits.then(|| hours * 3600 + minutes * 60 + seconds)
}

/// The zone that an abbreviation, in lower case, stands for in PostgreSQL's default set.
pub fn abbreviation(word: &str) -> Option<Zone> {
    if let Ok(at) = ABBREVIATIONS.binary_search_by_key(&word, |(name, _)| name) {
        return Some(Zone::Fixed(ABBREVIATIONS[at].1 * 60));
    }
    let (name, zone) = DYNAMIC[DYNAMIC.binary_search_by_key(&word, |(name, _)| name).ok()?];
    DATABASE.get(zone).ok().map(|zone| Zone::Abbreviation(zone, name))
}

/// The offset that an abbreviation stands for at a moment of its zone's: what it meant last, or else first; without it, that
/// of the zone itself.
fn meaning(zone: &TimeZone, abbreviation: &str, at: jiff::Timestamp) -> i32 {
    let here = zone.to_offset_info(at);
    let fits = |name: &str| name.eq_ignore_ascii_case(abbreviation);
    if fits(here.abbreviation()) {
        return here.offset().seconds();
    }
    let before = zone.preceding(at).find(|t| fits(t.abbreviation())).map(|t| t.offset());
    let after = || zone.following(at).take(TRANSITIONS).find(|t| fits(t.abbreviation())).map(|t| t.offset());
    before.or_else(after).unwrap_or_else(|| here.offset()).seconds()
}

/// So many changes of a zone's are looked at ahead: what comes later repeats itself.
const TRANSITIONS: usize = 400;

/// Abbreviation and minutes east of Greenwich.
#[rustfmt::skip]
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("acdt", 630), ("acsst", 630), ("acst", 570), ("act", -300), ("acwst", 525), ("adt", -180), ("aedt", 660),
    ("aesst", 660), ("aest", 600), ("aft", 270), ("akdt", -480), ("akst", -540), ("almst", 420), ("almt", 360),
    ("amt", -240), ("ast", -240), ("awsst", 540), ("awst", 480), ("azost", 0), ("azot", -60), ("bdst", 120),
    ("bdt", 360), ("bnt", 480), ("bort", 480), ("bot", -240), ("bra", -180), ("brst", -120), ("brt", -180),
    ("bst", 60), ("btt", 360), ("cadt", 630), ("cast", 570), ("cct", 480), ("cdt", -300), ("cest", 120), ("cet", 60),
    ("cetdst", 120), ("chadt", 825), ("chast", 765), ("chut", 600), ("clst", -180), ("cot", -300), ("cst", -360),
    ("cxt", 420), ("ddut", 600), ("eat", 180), ("edt", -240), ("eest", 180), ("eet", 120), ("eetdst", 180),
    ("egst", 0), ("egt", -60), ("est", -300), ("fet", 180), ("fjst", 780), ("fjt", 720), ("fnst", -60), ("fnt", -120),
    ("galt", -360), ("gamt", -540), ("gft", -180), ("gilt", 720), ("gmt", 0), ("hkt", 480), ("hst", -600),
    ("ict", 420), ("idt", 180), ("irt", 210), ("ist", 120), ("jayt", 540), ("jst", 540), ("kdt", 600), ("kgst", 360),
    ("kst", 540), ("lhst", 630), ("ligt", 600), ("mart", -570), ("mdt", -360), ("mest", 120), ("mesz", 120),
    ("met", 60), ("metdst", 120), ("mez", 60), ("mht", 720), ("mmt", 390), ("mpt", 600), ("msd", 240), ("mst", -420),
    ("must", 300), ("mut", 240), ("mvt", 300), ("myt", 480), ("ndt", -150), ("nft", -210), ("npt", 345),
    ("nst", -210), ("nzdt", 780), ("nzst", 720), ("nzt", 720), ("pdt", -420), ("pet", -300), ("pgt", 600),
    ("pht", 480), ("pkst", 360), ("pkt", 300), ("pmdt", -120), ("pmst", -180), ("pont", 660), ("pst", -480),
    ("pwt", 540), ("pyst", -180), ("ret", 240), ("sadt", 630), ("sast", 120), ("sct", 240), ("taht", -600),
    ("tft", 300), ("tjt", 300), ("tot", 780), ("trut", 600), ("tvt", 720), ("uct", 0), ("ulast", 540), ("ut", 0),
    ("utc", 0), ("uyst", -120), ("uyt", -180), ("uzst", 360), ("uzt", 300), ("vut", 660), ("wadt", 480),
    ("wakt", 720), ("wast", 420), ("wat", 60), ("wdt", 540), ("wet", 0), ("wetdst", 60), ("wft", 720), ("wgst", -120),
    ("wgt", -180), ("xjt", 360), ("yapt", 600), ("yekst", 360), ("z", 0), ("zulu", 0),
];

/// Abbreviations whose meaning changes with the date, and the zones that tell it.
#[rustfmt::skip]
const DYNAMIC: &[(&str, &str)] = &[
    ("amst", "Asia/Yerevan"), ("anast", "Asia/Anadyr"), ("anat", "Asia/Anadyr"),
    ("arst", "America/Argentina/Buenos_Aires"), ("art", "America/Argentina/Buenos_Aires"), ("azst", "Asia/Baku"),
    ("azt", "Asia/Baku"), ("ckt", "Pacific/Rarotonga"), ("clt", "America/Santiago"), ("davt", "Antarctica/Davis"),
    ("easst", "Pacific/Easter"), ("east", "Pacific/Easter"), ("fkst", "Atlantic/Stanley"),
    ("fkt", "Atlantic/Stanley"), ("gest", "Asia/Tbilisi"), ("get", "Asia/Tbilisi"), ("gyt", "America/Guyana"),
    ("iot", "Indian/Chagos"), ("irkst", "Asia/Irkutsk"), ("irkt", "Asia/Irkutsk"), ("kgt", "Asia/Bishkek"),
    ("kost", "Pacific/Kosrae"), ("krast", "Asia/Krasnoyarsk"), ("krat", "Asia/Krasnoyarsk"),
    ("lhdt", "Australia/Lord_Howe"), ("lint", "Pacific/Kiritimati"), ("lkt", "Asia/Colombo"),
    ("magst", "Asia/Magadan"), ("magt", "Asia/Magadan"), ("mawt", "Antarctica/Mawson"), ("msk", "Europe/Moscow"),
    ("novst", "Asia/Novosibirsk"), ("novt", "Asia/Novosibirsk"), ("nut", "Pacific/Niue"), ("omsst", "Asia/Omsk"),
    ("omst", "Asia/Omsk"), ("petst", "Asia/Kamchatka"), ("pett", "Asia/Kamchatka"), ("pyt", "America/Asuncion"),
    ("sgt", "Asia/Singapore"), ("tkt", "Pacific/Fakaofo"), ("tmt", "Asia/Ashgabat"), ("ulat", "Asia/Ulaanbaatar"),
    ("vet", "America/Caracas"), ("vlast", "Asia/Vladivostok"), ("vlat", "Asia/Vladivostok"),
    ("volt", "Europe/Volgograd"), ("yakst", "Asia/Yakutsk"), ("yakt", "Asia/Yakutsk"), ("yekt", "Asia/Yekaterinburg"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        let ny = Zone::find("america/new_york").unwrap();
        // 2024-03-10 02:30 does not exist, 2024-11-03 01:30 exists twice.
        assert_eq!(ny.offset_of_local(763_353_000), -5 * 3600);
        assert_eq!(ny.offset_of_local(783_912_600), -5 * 3600);
        assert_eq!(ny.offset_at(9_000_000_000_000), Zone::offset_at(&ny, 9_000_000_000_000 - 100 * CYCLE));
        assert_eq!(Zone::find("-7").unwrap().offset_at(0), -7 * 3600);
        assert_eq!(Zone::find("<-07>+07").unwrap().offset_at(0), -7 * 3600);
        assert_eq!(Zone::find("+05:30").unwrap().offset_at(0), -19800);
        assert_eq!(Zone::find("Nowhere/Land").unwrap_err().message, "time zone \"Nowhere/Land\" not recognized");
        assert!(ABBREVIATIONS.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(DYNAMIC.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(DYNAMIC.iter().all(|(name, _)| abbreviation(name).is_some()));
        assert_eq!(abbreviation("pst").unwrap().offset_at(0), -8 * 3600);
        // Moscow's standard time was an hour further east from 2011 to 2014; in summer it is what it was in winter.
        let msk = abbreviation("msk").unwrap();
        let hours = [2008, 2012, 2020].map(|year| msk.offset_at((year - 2000) * 31_557_600 + 15_778_800) / 3600);
        assert_eq!(hours, [3, 4, 3]);
    }
}

//! Capture time: nanoseconds since the Unix epoch, as frames are stamped.
//!
//! Everything from `packet` to `attribution` takes its time from the frames; no clock is read there.

mod written;

use std::fmt;
use std::ops::{Add, Sub};

pub use written::{Written, Zone};

/// An instant of capture time, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A span of capture time, in nanoseconds; negative when frames stand out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

impl Timestamp {
    /// Seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// Nanoseconds within the second, 0 to 999,999,999.
    pub fn subsec_nanos(self) -> i64 {
        self.0.rem_euclid(1_000_000_000)
    }
}

impl Span {
    /// The longest span.
    pub const MAX: Span = Span(i64::MAX);

    /// A span of whole seconds.
    pub const fn from_secs(seconds: i64) -> Span {
        Span(seconds * 1_000_000_000)
    }

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: i64) -> Span {
        Span(millis * 1_000_000)
    }

    /// A span of whole microseconds.
    pub const fn from_micros(micros: i64) -> Span {
        Span(micros * 1_000)
    }

    /// The span in seconds, for display and scoring only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Its distance from zero.
    pub fn abs(self) -> Span {
        Span(self.0.saturating_abs())
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Timestamp) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// RFC 3339 in UTC with nine decimals: `2019-11-29T08:25:01.123456789Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(time) => write!(f, "{time:.9}"),
            Err(_) => write!(f, "{}.{:09}s", self.seconds(), self.subsec_nanos()),
        }
    }
}

/// The unit a person would choose: `85 us`, `3.2 ms`, `1.50 s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0;
        match nanos.unsigned_abs() {
            0..1_000_000 => write!(f, "{} us", nanos / 1_000),
            1_000_000..1_000_000_000 => write!(f, "{:.1} ms", nanos as f64 / 1e6),
            1_000_000_000..60_000_000_000 => write!(f, "{:.2} s", nanos as f64 / 1e9),
            _ => write!(f, "{} min {:02} s", nanos / 60_000_000_000, nanos / 1_000_000_000 % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nine_decimals_in_utc() {
        let time = Timestamp(1_575_015_901_123_456_789);
        assert_eq!(time.to_string(), "2019-11-29T08:25:01.123456789Z");
        assert_eq!(
            Timestamp(1_575_015_901_000_000_000).to_string(),
            "2019-11-29T08:25:01.000000000Z"
        );
    }

    #[test]
    fn subtracting_below_the_epoch_keeps_seconds_and_nanos_apart() {
        let time = Timestamp(-1);
        assert_eq!((time.seconds(), time.subsec_nanos()), (-1, 999_999_999));
    }

    #[test]
    fn spans_read_as_a_person_would_say_them() {
        assert_eq!(Span(85_000).to_string(), "85 us");
        assert_eq!(Span(3_200_000).to_string(), "3.2 ms");
        assert_eq!(Span(1_500_000_000).to_string(), "1.50 s");
        assert_eq!(Span(125_000_000_000).to_string(), "2 min 05 s");
    }
}

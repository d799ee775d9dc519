//! Trigonometry in degrees, exact where the result is a round number: each function is computed in the part of the circle where
//! it is most exact, and divided by what it gives for the angle whose value is known.

const DEGREE: f64 = std::f64::consts::PI / 180.0;

/// Of an angle from 0 to 30.
fn sin_to_30(x: f64) -> f64 {
    libm::sin(x * DEGREE) / libm::sin(30.0 * DEGREE) / 2.0
}

/// Of an angle from 0 to 60.
fn cos_to_60(x: f64) -> f64 {
    1.0 - (1.0 - libm::cos(x * DEGREE)) / (1.0 - libm::cos(60.0 * DEGREE)) / 2.0
}

/// Of an angle from 0 to 90.
fn sin_to_90(x: f64) -> f64 {
    if x <= 30.0 { sin_to_30(x) } else { cos_to_60(90.0 - x) }
}

fn cos_to_90(x: f64) -> f64 {
    if x <= 60.0 { cos_to_60(x) } else { sin_to_30(90.0 - x) }
}

/// An angle brought into the first half of the circle, and whether it was mirrored there.
fn half(x: f64) -> (f64, bool) {
    let x = libm::fmod(x, 360.0);
    let (x, negative) = if x < 0.0 { (-x, true) } else { (x, false) };
    if x > 180.0 { (360.0 - x, !negative) } else { (x, negative) }
}

fn signed(value: f64, negative: bool) -> f64 {
    if negative { -value } else { value }
}

pub fn sin(x: f64) -> f64 {
    let (x, negative) = half(x);
    signed(sin_to_90(if x > 90.0 { 180.0 - x } else { x }), negative)
}

pub fn cos(x: f64) -> f64 {
    let (x, _) = half(x);
    if x > 90.0 { -cos_to_90(180.0 - x) } else { cos_to_90(x) }
}

/// A quotient of sine and cosine, relative to that of 45 degrees; there is no negative zero.
fn quotient(x: f64, of: fn(f64) -> f64) -> f64 {
    let (x, negative) = half(x);
    let (x, negative) = if x > 90.0 { (180.0 - x, !negative) } else { (x, negative) };
    let value = signed(of(x) / of(45.0), negative);
    if value == 0.0 { 0.0 } else { value }
}

pub fn tan(x: f64) -> f64 {
    quotient(x, |x| sin_to_90(x) / cos_to_90(x))
}

pub fn cot(x: f64) -> f64 {
    quotient(x, |x| cos_to_90(x) / sin_to_90(x))
}

/// The angle from 0 to 90 whose sine this is.
fn asin_to_90(x: f64) -> f64 {
    if x <= 0.5 { libm::asin(x) / libm::asin(0.5) * 30.0 } else { 90.0 - libm::acos(x) / libm::acos(0.5) * 60.0 }
}

fn acos_to_90(x: f64) -> f64 {
    if x <= 0.5 { 90.0 - libm::asin(x) / libm::asin(0.5) * 30.0 } else { libm::acos(x) / libm::acos(0.5) * 60.0 }
}

pub fn asin(x: f64) -> f64 {
    if x >= 0.0 { asin_to_90(x) } else { -asin_to_90(-x) }
}

pub fn acos(x: f64) -> f64 {
    if x >= 0.0 { acos_to_90(x) } else { 90.0 + asin_to_90(-x) }
}

pub fn atan(x: f64) -> f64 {
    libm::atan(x) / libm::atan(1.0) * 45.0
}

pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x) / libm::atan(1.0) * 45.0
}

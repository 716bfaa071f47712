//! Texts and arithmetic; results are those of Terraform's console.

use super::Number;

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

fn of(value: f64) -> Number {
    Number::from_f64(value).unwrap()
}

const THIRD: &str = "0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333335";

#[test]
fn prints_as_written_in_plain_decimals() {
    for text in [
        "0",
        "-3",
        "1.5",
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999",
        "0.1",
        "-0",
        "123456789.123456789",
        "0.000000000000000000000000000001",
    ] {
        assert_eq!(number(text).to_string(), text);
    }
    for (text, printed) in [
        ("1e3", "1000"),
        ("2.0", "2"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.5E-3", "0.0015"),
    ] {
        assert_eq!(number(text).to_string(), printed);
    }
    assert_eq!(number("1e100").to_string(), format!("1{}", "0".repeat(100)));
}

#[test]
fn decimals_have_512_bits() {
    let divided = number("1").checked_div(&number("3")).unwrap();
    assert_eq!(divided.to_string(), THIRD);
    let sum = number("0.1").checked_add(&number("0.2")).unwrap();
    assert_eq!(sum.to_string(), "0.3");
    assert_eq!(sum, number("0.3"));
    let rest = number("10").checked_rem(&number("3.3")).unwrap();
    assert!(rest.to_string().ends_with("0048"), "{rest}");
}

#[test]
fn counts_have_64_bits_and_doubles_53() {
    let third = Number::from(1_i64)
        .checked_div(&Number::from(3_i64))
        .unwrap();
    assert_eq!(third.to_string(), "0.33333333333333333334");
    let large = of(2_f64.powi(200));
    assert_eq!(
        large.to_string(),
        "1606938044258990300000000000000000000000000000000000000000000"
    );
    assert_eq!(of(2_f64.powi(60)).to_string(), "1152921504606847000");
    let widened = of(2_f64.powi(60)).checked_add(&number("0")).unwrap();
    assert_eq!(widened.to_string(), "1152921504606846976");
    let root = of(2_f64.sqrt());
    assert_eq!(root.to_string(), "1.4142135623730951");
    let square = root.checked_mul(&root).unwrap();
    assert_eq!(square.to_string(), "2.00000000000000027343234630647693");
    let power = of(3_f64.powi(30));
    let product = power.checked_mul(&power).unwrap();
    assert_eq!(product.to_string(), "42391158275216203514294433201");
}

#[test]
fn numbers_of_one_text_are_equal() {
    assert_eq!(of(0.1), number("0.1"));
    assert!(of(0.1) <= number("0.1") && of(0.1) >= number("0.1"));
    assert_eq!(number("-0"), number("0"));
    let through_text: Number = of(2_f64.powi(200)).to_string().parse().unwrap();
    assert_eq!(of(2_f64.powi(200)), through_text);
}

#[test]
fn divides_exactly_where_it_can() {
    let half = number("1").checked_div(&number("2")).unwrap();
    assert_eq!(half.to_string(), "0.5");
    assert_eq!(
        number("6").checked_div(&number("3")).unwrap().as_i64(),
        Some(2)
    );
    assert!(number("1").checked_div(&number("0")).is_none());
    assert!(number("1").checked_rem(&number("0")).is_none());
    assert_eq!(
        number("-7").checked_rem(&number("3")).unwrap().to_string(),
        "-1"
    );
    assert_eq!(number("0").negate().to_string(), "-0");
    assert_eq!(number("-0").abs().to_string(), "0");
}

#[test]
fn integers_have_any_size() {
    let large = number("9223372036854775807")
        .checked_add(&number("1"))
        .unwrap();
    assert_eq!(large.to_string(), "9223372036854775808");
    assert_eq!((large.as_i64(), large.as_u64()), (None, Some(1 << 63)));
    assert_eq!(Number::from(u64::MAX).to_string(), u64::MAX.to_string());
    assert_eq!(Number::from(i64::MIN).as_i64(), Some(i64::MIN));
    let digits = "f".repeat(40);
    let parsed = Number::from_digits(&digits, 16).unwrap();
    assert_eq!(
        parsed.to_string(),
        "1461501637330902918203684832716283019655932542975"
    );
    assert!(Number::from_digits("12", 2).is_none());
}

#[test]
fn numbers_compare_by_what_they_say() {
    let numbers = [
        "-1e300",
        "-9223372036854775808",
        "-0.5",
        "0",
        "0.5",
        "9007199254740993",
        "9223372036854775807",
        "1e19",
    ];
    for (position, small) in numbers.iter().enumerate() {
        for large in &numbers[position + 1..] {
            assert!(number(small) < number(large), "{small} {large}");
            assert!(number(large) > number(small), "{small} {large}");
        }
    }
}

#[test]
fn rounds_to_whole_numbers() {
    for (text, floor, ceil) in [
        ("1.5", "1", "2"),
        ("-0.5", "-1", "0"),
        (
            "1.5e30",
            "1500000000000000000000000000000",
            "1500000000000000000000000000000",
        ),
        ("-1e20", "-100000000000000000000", "-100000000000000000000"),
        (
            "12345678901234567890.5",
            "12345678901234567890",
            "12345678901234567891",
        ),
    ] {
        assert_eq!(number(text).floor().to_string(), floor);
        assert_eq!(number(text).ceil().to_string(), ceil);
    }
}

#[test]
fn refuses_what_is_not_a_number_and_what_is_out_of_reach() {
    for text in [
        "",
        "NaN",
        "inf",
        "1x",
        "0x10",
        "1_000",
        " 1",
        ".",
        "e5",
        "--1",
        "1e",
        "1e999999",
        "1e-999999999999",
    ] {
        assert!(text.parse::<Number>().is_err(), "{text}");
    }
    assert!(Number::from_f64(f64::NAN).is_none());
    let far = number("1e100000");
    assert!(far.checked_mul(&far).is_none());
    assert_eq!(far.as_f64(), f64::MAX);
}

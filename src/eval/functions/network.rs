//! Functions of networks in CIDR notation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dashu_int::IBig;
use isobar_sdk::{Number, Value};

use super::function::{number as number_of, text as text_of};
use super::numeric::as_integer;
use super::{Function, Parameter, Shape, number, text, whole};

const PREFIX: Parameter = text_of("prefix").about("As 10.0.0.0/8.");

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("cidrhost", cidrhost, "The address of a host in a network.")
        .takes(&[
            PREFIX,
            number_of("hostnum").about("Negative numbers count from the end."),
        ])
        .gives(Shape::String),
    Function::new(
        "cidrnetmask",
        cidrnetmask,
        "The netmask of an IPv4 network.",
    )
    .takes(&[PREFIX])
    .gives(Shape::String),
    Function::new("cidrsubnet", cidrsubnet, "A network within a network.")
        .takes(&[
            PREFIX,
            number_of("newbits").about("The bits that its prefix is longer."),
            number_of("netnum").about("The number that these bits write."),
        ])
        .gives(Shape::String),
    Function::new(
        "cidrsubnets",
        cidrsubnets,
        "Networks within a network, one behind the other.",
    )
    .takes(&[PREFIX])
    .any_number_of(number_of("newbits"))
    .gives(Shape::List(&Shape::String)),
];

/// A network: the bits of its addresses, as many as the family has, and the length of its prefix.
#[derive(Clone, Copy)]
struct Network {
    address: u128,
    length: u32,
    family: Family,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    const fn bits(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    fn written(self, address: u128) -> String {
        match self {
            // Only the low bits are set; see [`Network::parse`].
            Self::V4 => Ipv4Addr::from(u32::try_from(address).unwrap_or(u32::MAX)).to_string(),
            Self::V6 => Ipv6Addr::from(address).to_string(),
        }
    }
}

impl Network {
    /// Reads a network; bits behind its prefix are dropped.
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a network such as 10.0.0.0/8 or 2001:db8::/32");
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let (address, family) = match parse_address(address).ok_or_else(wrong)? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), Family::V4),
            IpAddr::V6(address) => (u128::from(address), Family::V6),
        };
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length
            .parse()
            .ok()
            .filter(|length| digits && *length <= family.bits());
        let mut network = Self {
            address,
            length: length.ok_or_else(wrong)?,
            family,
        };
        network.address &= !network.host_mask();
        Ok(network)
    }

    const fn host_bits(self) -> u32 {
        self.family.bits() - self.length
    }

    /// Ones where the bits of hosts are.
    const fn host_mask(self) -> u128 {
        match self.host_bits() {
            0 => 0,
            bits => u128::MAX >> (128 - bits),
        }
    }

    fn written(self) -> String {
        format!("{}/{}", self.family.written(self.address), self.length)
    }

    /// The network of which the prefix is `bits` longer.
    fn extended(self, bits: i64) -> Result<Self, String> {
        let length = i64::from(self.length).saturating_add(bits);
        let length = u32::try_from(length)
            .ok()
            .filter(|length| *length <= self.family.bits());
        let length = length.ok_or_else(|| {
            format!(
                "a prefix of {} bits cannot become {bits} bits longer",
                self.length
            )
        })?;
        Ok(Self { length, ..self })
    }
}

/// An address, of which each number may have leading zeros.
fn parse_address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok();
    }
    let mut parts = [0; 4];
    let mut given = text.split('.');
    for part in &mut parts {
        let digits = given.next()?;
        let fits = (1..=3).contains(&digits.trim_start_matches('0').len().max(1));
        if digits.is_empty() || !fits || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *part = digits.parse::<u8>().ok()?;
    }
    given.next().is_none().then(|| IpAddr::from(parts))
}

/// A whole number that `bits` bits can write; negative ones count from the end.
fn within(value: &Value, bits: u32) -> Result<u128, String> {
    let given = number(value)?;
    let wanted = as_integer(&given)
        .ok_or_else(|| format!("a whole number is needed, but {given} is not one"))?;
    let space = IBig::ONE << usize::try_from(bits).unwrap_or(0);
    let place = if wanted < IBig::ZERO {
        &space + &wanted
    } else {
        wanted
    };
    u128::try_from(&place)
        .ok()
        .filter(|_| place < space)
        .ok_or_else(|| format!("{bits} bits have no room for the number {given}"))
}

fn cidrhost(arguments: &[Value]) -> Result<Value, String> {
    let network = Network::parse(text(&arguments[0])?)?;
    let host = within(&arguments[1], network.host_bits())?;
    Ok(network.family.written(network.address | host).into())
}

fn cidrnetmask(arguments: &[Value]) -> Result<Value, String> {
    let network = Network::parse(text(&arguments[0])?)?;
    if network.family == Family::V6 {
        return Err("only networks of IPv4 have a netmask".to_owned());
    }
    let mask = !network.host_mask() & u128::from(u32::MAX);
    Ok(network.family.written(mask).into())
}

fn cidrsubnet(arguments: &[Value]) -> Result<Value, String> {
    let network = Network::parse(text(&arguments[0])?)?;
    let bits = whole(&arguments[1])?;
    let inner = network.extended(bits)?;
    if number(&arguments[2])? < Number::from(0_i64) {
        return Err("the number of a network must not be negative".to_owned());
    }
    let number = within(&arguments[2], u32::try_from(bits).unwrap_or(0))?;
    let address = match inner.host_bits() {
        128 => 0,
        shift => number << shift,
    };
    let inner = Network {
        address: network.address | address,
        ..inner
    };
    Ok(inner.written().into())
}

/// The most bits that a prefix becomes longer at a time, as in Terraform.
const MOST_BITS: i64 = 32;

fn cidrsubnets(arguments: &[Value]) -> Result<Value, String> {
    let network = Network::parse(text(&arguments[0])?)?;
    let mut free = Some(network.address);
    let mut found = Vec::new();
    for bits in &arguments[1..] {
        let bits = whole(bits)?;
        if !(1..=MOST_BITS).contains(&bits) {
            return Err(format!(
                "a prefix becomes longer by 1 to {MOST_BITS} bits, not by {bits}"
            ));
        }
        let inner = network.extended(bits)?;
        let full = || {
            format!(
                "{} has no room left for a prefix of {} bits",
                network.written(),
                inner.length
            )
        };
        let mask = inner.host_mask();
        // The next place where a network of this size can begin.
        let begin = free
            .and_then(|free| free.checked_add(mask))
            .map(|address| address & !mask)
            .filter(|address| address & !network.host_mask() == network.address)
            .ok_or_else(full)?;
        free = (begin | mask).checked_add(1);
        let inner = Network {
            address: begin,
            ..inner
        };
        found.push(inner.written().into());
    }
    Ok(Value::list(found))
}

//! The compact form of a cloud, from text to values.
//!
//! A line says one thing by its first word: `source`, `region`, `type`, and below a type `o`, `s`
//! and `m` for the prices on demand, on spot and of managed endpoints. Prices stand in the order
//! of the regions: dollars, `~` behind those that are derived, `-` where nothing is sold; or `*`
//! and a factor on the prices on demand, with the regions that differ; or `=` for the same prices.

use isobar_sdk::deployment::{Architecture, Grid};
use isobar_sdk::quantity::Micros;

use crate::cloud::{Accelerator, Basis, Cloud, Instance, Price, Priced, Region, Source};

const FIRST: &str = "isobar-catalog 1";

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Flaw {
    /// Counted from 1.
    pub line: usize,
    /// Why it cannot be read.
    pub reason: String,
}

/// Reads a cloud.
///
/// # Errors
/// The first line that cannot be read.
pub fn parse(text: &str) -> Result<Cloud<'_>, Flaw> {
    let mut cloud = Cloud {
        sources: Vec::new(),
        regions: Vec::new(),
        types: Vec::new(),
    };
    let mut lines = text.lines().enumerate();
    if lines.next().is_none_or(|(_, line)| line != FIRST) {
        return Err(Flaw {
            line: 1,
            reason: format!("the first line must be {FIRST:?}"),
        });
    }
    for (index, line) in lines {
        take(&mut cloud, line).map_err(|reason| Flaw {
            line: index + 1,
            reason,
        })?;
    }
    Ok(cloud)
}

fn take<'t>(cloud: &mut Cloud<'t>, line: &'t str) -> Result<(), String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "source" => cloud.sources.push(source(rest)?),
        "region" => cloud.regions.push(region(rest)?),
        "type" => cloud.types.push(Priced {
            instance: instance(rest)?,
            on_demand: Vec::new(),
            spot: Vec::new(),
            managed: Vec::new(),
        }),
        "o" | "s" | "m" => {
            let regions = &cloud.regions;
            let below = cloud.types.last_mut();
            let below = below.ok_or("prices stand below a type")?;
            let read = prices(rest, regions, &below.on_demand)?;
            match word {
                "o" => below.on_demand = read,
                "s" => below.spot = read,
                _ => below.managed = read,
            }
        }
        _ => return Err(format!("no line begins with {word:?}")),
    }
    Ok(())
}

fn source(rest: &str) -> Result<Source<'_>, String> {
    let mut words = rest.splitn(3, ' ');
    let mut next = || words.next().ok_or("a source has a name, a day and a text");
    Ok(Source {
        of: next()?,
        date: next()?,
        text: next()?,
    })
}

fn region(rest: &str) -> Result<Region<'_>, String> {
    let mut words = rest.split(' ');
    let mut next = || words.next().ok_or("a region has six words");
    let (name, country) = (next()?, next()?);
    let (intensity, pue) = (optional(next()?), optional(next()?));
    let grid = intensity.zip(pue).map(|(intensity, pue)| {
        Ok::<_, String>(Grid {
            intensity: number(intensity)?,
            pue: number(pue)?,
        })
    });
    Ok(Region {
        name,
        country,
        grid: grid.transpose()?,
        source: optional(next()?),
        scope: optional(next()?),
    })
}

fn instance(rest: &str) -> Result<Instance<'_>, String> {
    let mut words = rest.split(' ');
    let mut next = || words.next().ok_or("a type has six words");
    let name = next()?;
    let (vcpu, memory) = (number(next()?)?, number(next()?)?);
    let accelerator = optional(next()?).map(accelerator).transpose()?;
    let architecture = next()?;
    let architecture = Architecture::named(architecture)
        .ok_or_else(|| format!("there is no architecture {architecture:?}"))?;
    let managed = match next()? {
        "=" => Some(name),
        other => optional(other),
    };
    Ok(Instance {
        name,
        managed,
        vcpu,
        memory,
        accelerator,
        architecture,
    })
}

fn accelerator(word: &str) -> Result<Accelerator<'_>, String> {
    let mut parts = word.split(':');
    let mut next = || parts.next().ok_or("an accelerator is TYPE:COUNT:GIB");
    let kind = next()?;
    let count = next()?;
    let count = match count.split_once('/') {
        Some((part, of)) => number(part)? / number(of)?,
        None => number(count)?,
    };
    Ok(Accelerator {
        kind,
        count,
        memory: number(next()?)?,
    })
}

type Column = Vec<Option<Price>>;

fn prices(rest: &str, regions: &[Region<'_>], on_demand: &Column) -> Result<Column, String> {
    if rest == "=" {
        return Ok(on_demand.clone());
    }
    if let Some(rest) = rest.strip_prefix('*') {
        return by_factor(rest, regions, on_demand);
    }
    let column: Column = rest.split(' ').map(price).collect::<Result<_, _>>()?;
    match column.len() == regions.len() {
        true => Ok(column),
        false => Err(format!(
            "{} prices for {} regions",
            column.len(),
            regions.len()
        )),
    }
}

fn by_factor(rest: &str, regions: &[Region<'_>], on_demand: &Column) -> Result<Column, String> {
    let mut words = rest.split(' ');
    let factor = u128::from(micros(words.next().unwrap_or_default())?);
    let scaled = |price: &Price| {
        let amount = (u128::from(price.amount.0) * factor + 500_000) / 1_000_000;
        Price {
            amount: Micros(u64::try_from(amount).unwrap_or(u64::MAX)),
            basis: Basis::Derived,
        }
    };
    let mut column: Column = on_demand
        .iter()
        .map(|price| price.as_ref().map(scaled))
        .collect();
    for word in words {
        let (region, told) = word.split_once('=').ok_or("write REGION=PRICE")?;
        let position = regions.iter().position(|known| known.name == region);
        let cell = position.and_then(|position| column.get_mut(position));
        *cell.ok_or_else(|| format!("there is no region {region:?}"))? = price(told)?;
    }
    Ok(column)
}

fn price(word: &str) -> Result<Option<Price>, String> {
    let Some(word) = optional(word) else {
        return Ok(None);
    };
    let (word, basis) = match word.strip_suffix('~') {
        Some(word) => (word, Basis::Derived),
        None => (word, Basis::List),
    };
    Ok(Some(Price {
        amount: Micros(micros(word)?),
        basis,
    }))
}

/// Millionths of a decimal number, exactly.
fn micros(word: &str) -> Result<u64, String> {
    let wrong = || format!("{word:?} is not a number with six decimals at most");
    let (whole, decimals) = word.split_once('.').unwrap_or((word, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if word.is_empty() || decimals.len() > 6 || !digits(whole) || !digits(decimals) {
        return Err(wrong());
    }
    let padded = format!("{whole}{decimals:0<6}");
    padded.parse().map_err(|_| wrong())
}

fn number(word: &str) -> Result<f64, String> {
    word.parse()
        .map_err(|_| format!("{word:?} is not a number"))
}

fn optional(word: &str) -> Option<&str> {
    (word != "-").then_some(word)
}

#[cfg(test)]
mod tests {
    use super::parse;

    const HEAD: &str = "isobar-catalog 1\nsource spot 2026-01-01 a list of mine\n\
        region a DE 300 1.1 ccf country\nregion b US - - - -\n\
        type t 2 8 l4:1/2:12 arm64 =\no 1.5 .000001~\n";

    fn spot(line: &str) -> Vec<Option<String>> {
        let text = format!("{HEAD}{line}\n");
        let cloud = parse(&text).unwrap();
        let show = |price: &Option<crate::Price>| {
            price.map(|price| format!("{} {:?}", price.amount, price.basis))
        };
        cloud.types[0].spot.iter().map(show).collect()
    }

    #[test]
    fn prices_are_told_or_follow_those_on_demand() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(spot("s .4 -"), [some("0.40 List"), None]);
        assert_eq!(spot("s ="), [some("1.50 List"), some("0.000001 Derived")]);
        assert_eq!(spot("s *.5 b=-"), [some("0.75 Derived"), None]);
    }

    #[test]
    fn what_cannot_be_read_is_told_by_line() {
        let wrong = |line: &str| parse(&format!("{HEAD}{line}")).unwrap_err().to_string();
        assert_eq!(wrong("s 1"), "line 7: 1 prices for 2 regions");
        assert_eq!(
            wrong("s 1 x"),
            "line 7: \"x\" is not a number with six decimals at most"
        );
        assert_eq!(wrong("s *.5 c=1"), "line 7: there is no region \"c\"");
        assert_eq!(wrong("what"), "line 7: no line begins with \"what\"");
        assert_eq!(
            wrong("type t 1 1 - mips -"),
            "line 7: there is no architecture \"mips\""
        );
        let first = parse("catalog 2").unwrap_err().to_string();
        assert_eq!(first, "line 1: the first line must be \"isobar-catalog 1\"");
        let orphan = parse("isobar-catalog 1\no 1").unwrap_err().to_string();
        assert_eq!(orphan, "line 2: prices stand below a type");
    }
}

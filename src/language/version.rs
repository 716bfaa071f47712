//! Constraints of versions, such as that of Isobar which a configuration is written for.

use isobar_sdk::{Diagnostic, Fault, Value};
use semver::{Version, VersionReq};

use super::body::Attribute;
use super::expression::Kind;

/// Checks `required_version` against the version of this program.
///
/// # Errors
/// A constraint that is none, or that this version does not meet.
pub(super) fn check(attribute: &Attribute, version: &str) -> Result<(), Fault> {
    let Kind::Literal(Value::String(text)) = &attribute.value.root.kind else {
        return Err(Box::new(Diagnostic::error(
            "L0011",
            "Constant value required",
            "\"required_version\" must be written out as text: it is read before anything is evaluated.",
        )
        .at(&attribute.value.span())));
    };
    let meets = Constraint::parse(text)
        .zip(Version::parse(version).ok())
        .map(|(constraint, version)| constraint.allows(&version));
    match meets {
        Some(true) => Ok(()),
        Some(false) => Err(Box::new(
            Diagnostic::error(
                "L0014",
                "Unsupported version of Isobar",
                format!("This configuration needs Isobar {text}, but this is {version}."),
            )
            .at(&attribute.value.span())
            .help("Use a version of Isobar that it needs, or change required_version."),
        )),
        None => Err(Box::new(
            Diagnostic::error(
                "L0015",
                "Invalid version constraint",
                format!("{text:?} is not a version constraint."),
            )
            .at(&attribute.value.span())
            .help("Write one such as \">= 0.1, < 1.0\" or \"~> 0.1\"."),
        )),
    }
}

/// Which versions are meant, as Terraform writes it.
pub struct Constraint(Vec<Requirement>);

impl Constraint {
    /// Reads parts between commas, all of which must be met, with Terraform's operators: `~> 1.2`
    /// means from 1.2 below 2, `~> 1.2.3` from 1.2.3 below 1.3, a version alone exactly that one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        requirements(text).map(Self)
    }

    /// Whether a version is among them.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.is_met_by(version))
    }
}

/// One part of a constraint.
enum Requirement {
    Meets(VersionReq),
    Differs(VersionReq),
}

impl Requirement {
    fn is_met_by(&self, version: &Version) -> bool {
        match self {
            Self::Meets(wanted) => wanted.matches(version),
            Self::Differs(unwanted) => !unwanted.matches(version),
        }
    }
}

fn requirements(text: &str) -> Option<Vec<Requirement>> {
    text.split(',')
        .map(|part| {
            let part = part.trim();
            if let Some(version) = part.strip_prefix("!=") {
                let unwanted = VersionReq::parse(&format!("={}", version.trim())).ok()?;
                return Some(Requirement::Differs(unwanted));
            }
            let wanted = if let Some(version) = part.strip_prefix("~>") {
                let version = version.trim();
                match version.matches('.').count() {
                    1 => {
                        let major: u64 = version.split('.').next()?.parse().ok()?;
                        format!(">={version}, <{}", major + 1)
                    }
                    _ => format!("~{version}"),
                }
            } else if part.starts_with(|c: char| c.is_ascii_digit()) {
                format!("={part}")
            } else {
                part.to_owned()
            };
            VersionReq::parse(&wanted).ok().map(Requirement::Meets)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::Constraint;

    #[test]
    fn constraints_mean_what_they_mean_in_terraform() {
        let cases = [
            (">= 1.2", "1.3.0", true),
            (">= 1.2, < 1.3", "1.3.0", false),
            ("~> 1.2", "1.9.0", true),
            ("~> 1.2", "2.0.0", false),
            ("~> 1.2.3", "1.2.9", true),
            ("~> 1.2.3", "1.3.0", false),
            ("1.2.0", "1.2.1", false),
            ("!= 1.2.0", "1.2.1", true),
            ("!= 1.2.0", "1.2.0", false),
        ];
        for (text, version, met) in cases {
            let version = Version::parse(version).unwrap();
            let constraint = Constraint::parse(text).unwrap();
            assert_eq!(constraint.allows(&version), met, "{text} {version}");
        }
        for text in ["", "new", ">= x", "~> "] {
            assert!(Constraint::parse(text).is_none(), "{text}");
        }
    }
}

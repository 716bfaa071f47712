//! Long flags with one dash, as Terraform writes them, to the two dashes that clap expects.

use std::collections::BTreeSet;
use std::ffi::OsString;

/// Gives every long flag two dashes. What follows `--`, what is the value of the flag before
/// it, single letters and negative numbers stay as they are.
pub(super) fn normalise(arguments: Vec<OsString>, program: &clap::Command) -> Vec<OsString> {
    let mut with_value = BTreeSet::new();
    collect_with_value(program, &mut with_value);
    let mut value_next = false;
    let mut literal = false;
    arguments
        .into_iter()
        .map(|argument| {
            let is_value = std::mem::take(&mut value_next);
            if literal || is_value {
                return argument;
            }
            literal = argument == "--";
            let Some(name) = argument.to_str().and_then(long_name) else {
                return argument;
            };
            value_next = with_value.contains(name);
            let bare = argument.to_string_lossy();
            OsString::from(format!("--{}", bare.trim_start_matches('-')))
        })
        .collect()
}

/// The long flags that take the next argument as their value.
fn collect_with_value(command: &clap::Command, found: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        if let Some(long) = argument.get_long()
            && argument.get_action().takes_values()
            && !argument.is_require_equals_set()
        {
            found.insert(long.to_owned());
        }
    }
    for subcommand in command.get_subcommands() {
        collect_with_value(subcommand, found);
    }
}

/// What stands behind the dashes of a long flag, its value included.
fn long_name(argument: &str) -> Option<&str> {
    let name = argument
        .strip_prefix("--")
        .or_else(|| argument.strip_prefix('-'))?;
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(char::is_alphabetic);
    (begins && letters.next().is_some_and(|second| second != '=')).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::normalise;

    fn program() -> clap::Command {
        let plan = clap::Command::new("plan")
            .arg(clap::Arg::new("var").long("var"))
            .arg(
                clap::Arg::new("json")
                    .long("json")
                    .action(clap::ArgAction::SetTrue),
            );
        clap::Command::new("isobar").subcommand(plan)
    }

    #[test]
    fn only_long_flags_change() {
        for (given, expected) in [
            ("-out=plan", "--out=plan"),
            ("-detailed-exitcode", "--detailed-exitcode"),
            ("-chdir=DIR", "--chdir=DIR"),
            ("--json", "--json"),
            ("-var=x=-1", "--var=x=-1"),
            ("-var x=1", "--var x=1"),
            ("-var -json", "--var -json"),
            ("--var -json -json", "--var -json --json"),
            ("-json -var", "--json --var"),
            ("-h", "-h"),
            ("-", "-"),
            ("-1", "-1"),
            ("-12", "-12"),
            ("-x=1", "-x=1"),
            ("plan", "plan"),
            ("-- -json", "-- -json"),
            ("-help", "--help"),
        ] {
            let words = |text: &str| -> Vec<OsString> { text.split(' ').map(Into::into).collect() };
            assert_eq!(
                normalise(words(given), &program()),
                words(expected),
                "{given}"
            );
        }
    }
}

//! Long flags with one dash, as Terraform writes them, to the two dashes that clap expects.

use std::collections::BTreeSet;
use std::ffi::OsString;

/// Gives every long flag two dashes. What follows `--`, what is the value of the flag before
/// it, single letters and negative numbers stay as they are.
pub(super) fn normalise(arguments: Vec<OsString>, program: &clap::Command) -> Vec<OsString> {
    let mut with_value = BTreeSet::new();
    enter(program, &mut with_value);
    let mut command = program;
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
            let text = argument.to_str();
            let Some(name) = text.and_then(long_name) else {
                // Flags of one name may have values in one command and none in another.
                if let Some(inner) = text.and_then(|text| command.find_subcommand(text)) {
                    command = inner;
                    enter(inner, &mut with_value);
                }
                return argument;
            };
            value_next = with_value.contains(name);
            let bare = argument.to_string_lossy();
            OsString::from(format!("--{}", bare.trim_start_matches('-')))
        })
        .collect()
}

/// Notes which long flags of a command take the next argument as their value, beside those of
/// the commands around it.
fn enter(command: &clap::Command, with_value: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        let Some(long) = argument.get_long() else {
            continue;
        };
        if argument.get_action().takes_values() && !argument.is_require_equals_set() {
            with_value.insert(long.to_owned());
        } else {
            with_value.remove(long);
        }
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
        let graph = clap::Command::new("graph").arg(clap::Arg::new("json").long("json"));
        let chdir = clap::Arg::new("chdir").long("chdir");
        let program = clap::Command::new("isobar").arg(chdir);
        program.subcommand(plan).subcommand(graph)
    }

    #[test]
    fn only_long_flags_change() {
        for (given, expected) in [
            ("plan -out=plan", "plan --out=plan"),
            ("plan -detailed-exitcode", "plan --detailed-exitcode"),
            ("plan -chdir=DIR", "plan --chdir=DIR"),
            ("plan --json", "plan --json"),
            ("plan -var=x=-1", "plan --var=x=-1"),
            ("plan -var x=1", "plan --var x=1"),
            ("plan -var -json", "plan --var -json"),
            ("plan --var -json -json", "plan --var -json --json"),
            ("plan -json -var", "plan --json --var"),
            ("plan -h", "plan -h"),
            ("plan -", "plan -"),
            ("plan -1", "plan -1"),
            ("plan -12", "plan -12"),
            ("plan -x=1", "plan -x=1"),
            ("plan plan", "plan plan"),
            ("plan -- -json", "plan -- -json"),
            ("plan -help", "plan --help"),
            ("-chdir -x plan -json", "--chdir -x plan --json"),
            (
                "graph -json -json -chdir -x",
                "graph --json -json --chdir -x",
            ),
            (
                "plan -json graph -json -var",
                "plan --json graph --json --var",
            ),
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

//! Forecasts from many origins: the rows of their table, and how good they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use super::style::{Role, Style};
use crate::forecast::{Marks, Pace};
use crate::telemetry::Judged;

/// The first line of the table of forecasts.
pub const HEADER: &str = "series,origin,step,mean,q50,q90,q95,q99\n";

/// The columns of the table of scores, in the order of [`Marks::figures`], with their decimals.
const COLUMNS: [(&str, usize); 11] = [
    ("acc%", 1),
    ("sMAPE", 1),
    ("MASE", 3),
    ("RMSSE", 3),
    ("sPL", 3),
    ("sPL95", 3),
    ("cov90", 1),
    ("cov95", 1),
    ("cov99", 1),
    ("over", 3),
    ("peak", 1),
];

const LEGEND: &str = "acc% is 100·(1−WAPE) of the median; MASE, RMSSE and sPL (pinball loss) are \
relative to the naive forecast, less is better; cov is the share of values at or below their \
quantile, in percent; over is the 95 % quantiles over the demand; peak is the share of origins \
whose peak lies within the highest 95 % quantile.";

/// How one series was forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The name of the series.
    pub series: String,
    /// Its family.
    pub family: String,
    /// Its kind.
    pub pace: Pace,
    /// From how many origins it was forecast.
    pub origins: usize,
    /// How well.
    pub marks: Marks,
}

/// The rows of a forecast in the table of forecasts; a name with a comma, quote or line break is
/// quoted.
#[must_use]
pub fn rows(series: &str, judged: &Judged) -> String {
    let series = match series.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", series.replace('"', "\"\"")),
        false => series.to_owned(),
    };
    let mut text = String::new();
    for (step, mean) in judged.path.mean.iter().enumerate() {
        let _ = write!(text, "{series},{},{},{mean}", judged.at, step + 1);
        for quantiles in &judged.path.quantiles {
            let _ = write!(text, ",{}", quantiles[step]);
        }
        text.push('\n');
    }
    text
}

/// Scores by kind of series, of all, and by family: label, number of series, means.
fn groups(scored: &[Scored]) -> Vec<(String, usize, Marks)> {
    let group = |label: &str, belongs: &dyn Fn(&Scored) -> bool| {
        let members = scored.iter().filter(|one| belongs(one));
        let marks: Vec<_> = members.map(|one| one.marks).collect();
        Some((label.to_owned(), marks.len(), Marks::mean(&marks)?))
    };
    let paces: BTreeSet<_> = scored.iter().map(|one| one.pace).collect();
    let families: BTreeSet<_> = scored.iter().map(|one| one.family.as_str()).collect();
    let paces = paces.into_iter();
    let paces = paces.filter_map(|pace| group(pace.name(), &|one| one.pace == pace));
    let families = families.into_iter();
    let families = families.filter_map(|family| group(family, &|one| one.family == family));
    paces
        .chain(group("all", &|_| true))
        .chain(families)
        .collect()
}

/// Scores for people.
#[must_use]
pub fn human(scored: &[Scored], style: &Style) -> String {
    let groups = groups(scored);
    let width = groups.iter().map(|(label, ..)| label.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut header = format!("{:width$} {:>4}", "", "n");
    for (title, _) in COLUMNS {
        let _ = write!(header, " {title:>6}");
    }
    let mut text = format!("{}\n", style.paint(Role::Bold, header));
    for (label, count, marks) in &groups {
        let mut line = format!("{label:width$} {count:>4}");
        for ((_, value), (_, decimals)) in marks.figures().into_iter().zip(COLUMNS) {
            let _ = write!(line, " {value:>6.decimals$}");
        }
        match label.as_str() {
            "all" => text.push_str(&format!("{}\n", style.paint(Role::Bold, line))),
            _ => text.push_str(&format!("{line}\n")),
        }
    }
    text.push('\n');
    for line in style.wrap(LEGEND, 0) {
        text.push_str(&format!("{}\n", style.paint(Role::Dim, line)));
    }
    text
}

/// Scores for programs.
#[must_use]
pub fn json(scored: &[Scored]) -> Json {
    let figures = |marks: &Marks| -> Map<String, Json> {
        let figures = marks.figures().into_iter();
        figures
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect()
    };
    let group = |(label, count, marks): (String, usize, Marks)| {
        (label, json!({ "series": count, "marks": figures(&marks) }))
    };
    let series = scored.iter().map(|one| {
        let value = json!({
            "family": one.family,
            "pace": one.pace.name(),
            "origins": one.origins,
            "marks": figures(&one.marks),
        });
        (one.series.as_str(), value)
    });
    let groups: Map<_, _> = groups(scored).into_iter().map(group).collect();
    json!({ "groups": groups, "series": series.collect::<BTreeMap<_, _>>() })
}

#[cfg(test)]
mod tests {
    use crate::forecast::{Path, Scale};

    use super::*;

    fn scored(series: &str, pace: Pace, accuracy: f64) -> Scored {
        Scored {
            series: series.to_owned(),
            family: series.split('_').next().unwrap().to_owned(),
            pace,
            origins: 4,
            marks: Marks {
                accuracy,
                smape: 21.25,
                mase: 0.875,
                coverage95: 95.0,
                over95: 1.25,
                ..Marks::default()
            },
        }
    }

    #[test]
    fn scores_are_means_by_kind_and_family() {
        let all = [
            scored("cpu_a_1h", Pace::Hourly, 80.0),
            scored("cpu_b_5min", Pace::SubHourly, 60.0),
            scored("web_a_1h", Pace::Hourly, 70.0),
        ];
        insta::assert_snapshot!(human(&all, &Style::plain(80)));
        let json = json(&all);
        assert_eq!(json["groups"]["all"]["marks"]["accuracy"], 70.0);
        assert_eq!(json["series"]["web_a_1h"]["origins"], 4);
        assert!(
            human(&all, &Style::plain(80))
                .lines()
                .all(|line| line.chars().count() <= 100)
        );
    }

    #[test]
    fn rows_count_steps_from_one() {
        let judged = Judged {
            at: "2024-01-01T00:00:00Z".parse().unwrap(),
            path: Path {
                mean: vec![1.5, 2.0],
                quantiles: [
                    vec![1.0, 2.0],
                    vec![3.0, 4.0],
                    vec![5.0, 6.0],
                    vec![7.0, 8.25],
                ],
            },
            actual: Vec::new(),
            scale: Scale::of(&[], 1),
        };
        assert_eq!(
            rows("a\"b,c", &judged),
            "\"a\"\"b,c\",2024-01-01T00:00:00Z,1,1.5,1,3,5,7\n\
             \"a\"\"b,c\",2024-01-01T00:00:00Z,2,2,2,4,6,8.25\n"
        );
    }
}

//! The texts of queries.

use std::fmt::Write as _;

use crate::settings::Problem;

/// Where rows come from and what becomes of them.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// A table in backticks, or a query in parentheses.
    from: String,
    timestamp: String,
    /// `SUM(…)` and the like.
    aggregate: String,
    condition: Option<String>,
}

/// What rows are made from, as the settings say it.
pub(super) struct Told<'a> {
    pub(super) table: Option<&'a str>,
    pub(super) query: Option<&'a str>,
    pub(super) timestamp: Option<&'a str>,
    pub(super) value: Option<&'a str>,
    pub(super) aggregate: Option<&'a str>,
    pub(super) condition: Option<&'a str>,
}

impl Rows {
    pub(super) fn of(told: &Told<'_>) -> Result<Self, Problem> {
        let (from, value) = match (told.table, told.query) {
            (Some(table), None) => (quoted("table", table)?, told.value),
            // A query says with its columns what is counted.
            (None, Some(query)) => {
                let query = query.trim().trim_end_matches(';');
                (format!("({query})"), told.value.or(Some("value")))
            }
            (None, None) => {
                let help = "set table = \"dataset.table\", or query";
                return Err(Problem::missing(
                    "a bigquery source needs a table or a query",
                    help,
                ));
            }
            (Some(_), Some(_)) => {
                return Err(Problem::wrong(
                    "query",
                    "cannot stand beside table",
                    "keep one of them",
                ));
            }
        };
        Ok(Self {
            from,
            timestamp: column("timestamp", told.timestamp.unwrap_or("timestamp"))?,
            aggregate: aggregate(told.aggregate, value)?,
            condition: told.condition.map(str::to_owned),
        })
    }

    /// One row a step: `slot` in seconds since 1970, and `value`. Times before `@from` and from
    /// `@until` on are left out, so that a table that is partitioned by time is read in part only.
    pub(super) fn by_step(&self) -> String {
        let Self {
            from,
            timestamp,
            aggregate,
            ..
        } = self;
        let mut sql = format!(
            "SELECT DIV(UNIX_SECONDS({timestamp}), @step) * @step AS slot, \
             CAST({aggregate} AS FLOAT64) AS value FROM {from} \
             WHERE {timestamp} >= TIMESTAMP_SECONDS(@from) AND {timestamp} < TIMESTAMP_SECONDS(@until)"
        );
        if let Some(condition) = &self.condition {
            // Writing to a String cannot fail.
            let _ = write!(sql, " AND ({condition})");
        }
        sql + " GROUP BY slot ORDER BY slot"
    }

    /// The forecast of every level: `slot`, `level` and `value`. A level above one half is the
    /// upper end of the interval that leaves as much below its lower end as above its upper one:
    /// the 90 % quantile ends the interval of confidence 80 %.
    ///
    /// <https://cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-ai-forecast>,
    /// <https://cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-forecast>
    pub(super) fn forecast(&self, model: Option<&str>, horizon: usize, levels: &[f64]) -> String {
        let each = levels.iter().map(|level| {
            let confidence = (2.0 * (level - 0.5).abs()).max(MEDIAN);
            let value = match level {
                level if (level - 0.5).abs() < f64::EPSILON => "forecast_value",
                level if *level > 0.5 => "prediction_interval_upper_bound",
                _ => "prediction_interval_lower_bound",
            };
            let made = match model {
                Some(model) => format!(
                    "ML.FORECAST(MODEL {model}, STRUCT({horizon} AS horizon, {confidence:.4} AS confidence_level))"
                ),
                None => format!(
                    "AI.FORECAST((SELECT TIMESTAMP_SECONDS(slot) AS slot, value FROM series), \
                     data_col => 'value', timestamp_col => 'slot', \
                     horizon => {horizon}, confidence_level => {confidence:.4})"
                ),
            };
            format!(
                "SELECT UNIX_SECONDS(forecast_timestamp) AS slot, {level} AS level, \
                 CAST({value} AS FLOAT64) AS value FROM {made}"
            )
        });
        let each: Vec<String> = each.collect();
        let series = match model {
            Some(_) => String::new(),
            None => format!("WITH series AS ({}) ", self.by_step()),
        };
        format!("{series}{} ORDER BY level, slot", each.join(" UNION ALL "))
    }
}

/// The least confidence that is asked for: an interval of none has no ends.
const MEDIAN: f64 = 0.1;

/// A name of a table or model in backticks, which it must not end.
pub(super) fn quoted(setting: &'static str, name: &str) -> Result<String, Problem> {
    let parts = name.split('.').count();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | ':' | '*');
    if name.chars().all(plain) && (2..=3).contains(&parts) && !name.split('.').any(str::is_empty) {
        return Ok(format!("`{name}`"));
    }
    let reason = format!("is no name: {name:?}");
    Err(Problem::wrong(
        setting,
        reason,
        "write dataset.name or project.dataset.name",
    ))
}

fn column(setting: &'static str, name: &str) -> Result<String, Problem> {
    let first = name.chars().next();
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    if plain && first.is_some_and(|c| c.is_alphabetic() || c == '_') {
        let parts: Vec<String> = name.split('.').map(|part| format!("`{part}`")).collect();
        return Ok(parts.join("."));
    }
    let reason = format!("is no name of a column: {name:?}");
    Err(Problem::wrong(
        setting,
        reason,
        "for an expression write a query that gives it a name",
    ))
}

fn aggregate(told: Option<&str>, value: Option<&str>) -> Result<String, Problem> {
    let function = match (told, value) {
        (None | Some("count"), None) => return Ok("COUNT(*)".to_owned()),
        (None | Some("sum"), Some(_)) => "SUM",
        (Some("mean"), Some(_)) => "AVG",
        (Some("max"), Some(_)) => "MAX",
        (Some("min"), Some(_)) => "MIN",
        (Some("count"), Some(_)) => "COUNT",
        (Some("sum" | "mean" | "max" | "min"), None) => {
            let help = "set value to the column, or count rows with aggregate = \"count\"";
            return Err(Problem::wrong("aggregate", "needs a value", help));
        }
        (Some(other), _) => {
            let help = "write sum, mean, max, min or count";
            return Err(Problem::wrong(
                "aggregate",
                format!("cannot be {other:?}"),
                help,
            ));
        }
    };
    Ok(format!(
        "{function}({})",
        column("value", value.unwrap_or_default())?
    ))
}

/// Whether values of this aggregate count what happened in a step.
pub(super) fn counts(told: Option<&str>) -> bool {
    matches!(told, None | Some("sum" | "count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Told<'static> {
        Told {
            table: Some("tel.req"),
            query: None,
            timestamp: Some("ts"),
            value: Some("n"),
            aggregate: None,
            condition: Some("zone = @zone OR zone IS NULL"),
        }
    }

    #[test]
    fn rows_are_added_up_where_they_are() {
        assert_eq!(
            Rows::of(&table()).unwrap().by_step(),
            "SELECT DIV(UNIX_SECONDS(`ts`), @step) * @step AS slot, CAST(SUM(`n`) AS FLOAT64) AS value \
             FROM `tel.req` WHERE `ts` >= TIMESTAMP_SECONDS(@from) AND `ts` < TIMESTAMP_SECONDS(@until) \
             AND (zone = @zone OR zone IS NULL) GROUP BY slot ORDER BY slot"
        );
    }

    #[test]
    fn quantiles_are_ends_of_intervals() {
        let rows = Rows::of(&Told {
            condition: None,
            ..table()
        })
        .unwrap();
        assert_eq!(
            rows.forecast(Some("`d.m`"), 24, &[0.5, 0.95]),
            "SELECT UNIX_SECONDS(forecast_timestamp) AS slot, 0.5 AS level, CAST(forecast_value AS FLOAT64) AS value \
             FROM ML.FORECAST(MODEL `d.m`, STRUCT(24 AS horizon, 0.1000 AS confidence_level)) UNION ALL \
             SELECT UNIX_SECONDS(forecast_timestamp) AS slot, 0.95 AS level, CAST(prediction_interval_upper_bound AS FLOAT64) AS value \
             FROM ML.FORECAST(MODEL `d.m`, STRUCT(24 AS horizon, 0.9000 AS confidence_level)) ORDER BY level, slot"
        );
        let own = rows.forecast(None, 24, &[0.9]);
        assert!(own.starts_with("WITH series AS (SELECT DIV("), "{own}");
        assert!(own.contains("AI.FORECAST((SELECT TIMESTAMP_SECONDS(slot) AS slot, value FROM series), data_col => 'value', timestamp_col => 'slot', horizon => 24, confidence_level => 0.8000)"), "{own}");
    }

    #[test]
    fn names_cannot_end_their_quotes() {
        for name in ["a`; DROP", "t", "a.b.c.d", "a..b", ""] {
            assert!(quoted("table", name).is_err(), "{name}");
        }
        for name in ["a`", "1", "a b", ""] {
            assert!(column("value", name).is_err(), "{name}");
        }
    }
}

//! The proleptic Gregorian calendar and the wall clock, without a time zone.

/// A date and time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a month's day, which may lie outside the month.
fn days_from(year: i64, month: i64, day: i64) -> i128 {
    // Years that start in March, so that the leap day is the last.
    let (year, month, day) = (i128::from(year), i128::from(month), i128::from(day));
    let months = year * 12 + (month - 1) - 2;
    let (year, from_march) = (months.div_euclid(12), months.rem_euclid(12));
    let before_month = (153 * from_march + 2) / 5;
    let before_year = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before_year + before_month + day - 1 - 719_468
}

impl Civil {
    /// The clock at `seconds` since the epoch, read as UTC.
    pub(crate) fn at(seconds: i64) -> Civil {
        let (days, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Civil {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
        }
    }

    /// Seconds since the epoch, read as UTC; fields out of range carry over.
    pub(crate) fn seconds(&self) -> i128 {
        let clock = i128::from(self.hour) * 3600 + i128::from(self.minute) * 60 + i128::from(self.second);
        days_from(self.year, self.month, self.day) * 86_400 + clock
    }

    /// 0 is Sunday.
    pub(crate) fn weekday(&self) -> usize {
        usize::try_from((days_from(self.year, self.month, self.day) + 4).rem_euclid(7)).unwrap_or(0)
    }

    /// 1 to 366.
    pub(crate) fn day_of_year(&self) -> i64 {
        let days = days_from(self.year, self.month, self.day) - days_from(self.year, 1, 1) + 1;
        i64::try_from(days).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for seconds in (-9_300_000_000i64..9_300_000_000).step_by(86_399 * 7) {
            let civil = Civil::at(seconds);
            assert_eq!(civil.seconds(), i128::from(seconds));
            assert!(
                (1..=12).contains(&civil.month)
                    && civil.day >= 1
                    && civil.day <= days_in(civil.month, civil.year)
            );
        }
        assert_eq!(Civil::at(0).weekday(), 4);
        assert_eq!(Civil::at(951_782_400).day_of_year(), 60);
    }
}

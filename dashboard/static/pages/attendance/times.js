// Times of day as the house's clock shows them, which need not be the browser's: each entry tells both seconds and clock.

const MINUTE = 60;
const pad = (value) => String(value).padStart(2, "0");
const dateOf = (day, more = 0) => {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + more);
};

export function dayAfter(day, days) {
  const date = dateOf(day, days);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

export const dayWords = (day) => dateOf(day).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });

// Returns {clock(seconds) "08:30", minute(seconds) 510, counted from the day's begin: midnight at its end is 24:00} of an entry's day.
export function clockOf({ first_at: first, seen, clock }) {
  const [at, told] = first === null ? [seen?.first_at ?? 0, clock?.seen_first ?? "00:00"] : [first, clock.first];
  const [hours, minutes, seconds = 0] = told.split(":").map(Number);
  const base = hours * MINUTE + minutes + seconds / MINUTE;
  const minute = (moment) => base + (moment - at) / MINUTE;
  return { minute, clock: (moment) => clockWords(minute(moment)) };
}

export function clockWords(minute) {
  const whole = Math.floor(minute + 1e-6);
  return `${pad(Math.floor(whole / MINUTE))}:${pad(((whole % MINUTE) + MINUTE) % MINUTE)}`;
}

export function lasted(seconds) {
  if (seconds < MINUTE) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / MINUTE);
  return minutes < MINUTE ? `${minutes} min` : `${Math.floor(minutes / MINUTE)} h ${pad(minutes % MINUTE)} min`;
}

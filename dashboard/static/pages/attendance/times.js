// Times of day in the zone of the house, which need not be the browser's.

const pad = (value) => String(value).padStart(2, "0");
const iso = (date) => `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;

export const today = () => iso(new Date());

export function dayAfter(day, days) {
  const [year, month, date] = day.split("-").map(Number);
  return iso(new Date(year, month - 1, date + days));
}

export function dayWords(day) {
  const [year, month, date] = day.split("-").map(Number);
  const words = new Date(year, month - 1, date).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  return day === today() ? `Today, ${words}` : words;
}

// Returns {zone, clock(seconds) "08:30", minute(seconds) 510}: of the zone, or of the browser's where that one is unknown to it.
export function clocks(zone) {
  const format = formatOf(zone);
  const clock = (seconds) => format.format(new Date(seconds * 1000));
  const minute = (seconds) => {
    const [hours, minutes] = clock(seconds).split(":").map(Number);
    return hours * 60 + minutes + (seconds % 60) / 60;
  };
  return { zone: format.resolvedOptions().timeZone, clock, minute };
}

function formatOf(timeZone) {
  const shape = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...shape, timeZone: timeZone || undefined });
  } catch {
    return new Intl.DateTimeFormat("en-GB", shape);
  }
}

export function lasted(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

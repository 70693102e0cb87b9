// Results in a row of one camera with the same faces are one entry: four a second for an hour say nothing new.

const MOST_PAUSE = 30; // seconds without a result, after which it is another entry

// Returns entries, the newest first: {key, results: [newest first]} or {key, gap}.
export function entriesOf(results, gaps) {
  const groups = [];
  const open = new Map(); // camera -> its entry that goes on
  for (const result of results) {
    const about = facesOf(result);
    const last = open.get(result.camera);
    const oldest = last?.results[last.results.length - 1];
    if (last && last.about === about && oldest.captured_at - result.captured_at < MOST_PAUSE) last.results.push(result);
    else {
      const entry = { about, results: [result] };
      open.set(result.camera, entry);
      groups.push(entry);
    }
  }
  const entries = groups.map((entry) => ({ ...entry, at: entry.results[0].captured_at, key: `${entry.results[0].camera} ${entry.about} ${entry.results[entry.results.length - 1].number}` }));
  return [...entries, ...gaps.map((gap) => ({ gap, at: gap.till, key: `gap ${gap.since}` }))].sort((one, other) => other.at - one.at);
}

function facesOf({ FaceDetails = [], error, forgotten, operation }) {
  if (error) return `failed ${error.Code}`;
  if (forgotten) return "forgotten";
  return `${operation} ${FaceDetails.map(({ Track, Person }) => Person?.Id ?? Track ?? "face").sort().join()}`;
}

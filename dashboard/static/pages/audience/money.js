// What a show comes to, in words.

import { age, dayTime, number } from "../../core/format.js";

export const money = (value, currency) => {
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency }).format(value);
  } catch {
    return `${value.toFixed(2)} ${currency}`; // a currency of the house's own
  }
};

export const countOf = ({ laughs: { counted } }) => `${number(counted)} ${counted === 1 ? "laugh" : "laughs"}`;
export const amountOf = ({ show, amount }) => (amount === null || amount === undefined ? "" : money(amount, show.currency));

export function spanOf({ started_at: from, stopped_at: to }) {
  return to ? `${dayTime(from)} to ${dayTime(to)} (${age(to - from)})` : `since ${dayTime(from)}`;
}

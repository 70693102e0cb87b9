// Does something at once and again and again, but only while people can see the element that shows it.

export function whileSeen(element, seconds, action) {
  let isSeen = false;
  const act = () => isSeen && !document.hidden && action();
  const observer = new IntersectionObserver((entries) => {
    const wasSeen = isSeen;
    isSeen = entries[entries.length - 1].isIntersecting;
    if (isSeen && !wasSeen) act();
  });
  observer.observe(element);
  const timer = setInterval(act, seconds * 1000);
  document.addEventListener("visibilitychange", act);
  return () => {
    observer.disconnect();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", act);
  };
}

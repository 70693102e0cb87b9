// Keeps a container's children in step with a list: an element a key, changed where it stands, so that nothing flickers.

export function keyed(container, items, keyOf, create, update = () => {}) {
  const known = new Map([...container.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    let element = known.get(key);
    if (element) known.delete(key);
    else {
      element = create(item);
      element.dataset.key = key;
    }
    update(element, item);
    if (container.children[index] !== element) container.insertBefore(element, container.children[index] ?? null);
  });
  for (const gone of known.values()) gone.remove();
}

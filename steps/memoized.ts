/** Memoizes `make`, for as long as its argument is in use. */
export function memoized<Key extends object, Made>(make: (key: Key) => Made): (key: Key) => Made {
  const all = new WeakMap<Key, { readonly made: Made }>();
  return (key) => {
    const known = all.get(key) ?? { made: make(key) };
    all.set(key, known);
    return known.made;
  };
}

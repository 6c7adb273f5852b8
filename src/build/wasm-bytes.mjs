// As much of WebAssembly's binary format (WebAssembly Core §5) as the build looks at.

/** The sections of a module: their id, their content, and all of their bytes. */
export function* sectionsOf(module) {
  const read = reader(module, 8);
  while (read.at < module.length) {
    const start = read.at;
    const id = read.byte();
    const content = read.bytes();
    yield { id, content, whole: module.subarray(start, read.at) };
  }
}

/** Reads what stands in those bytes, one after the other. */
export function reader(bytes, at = 0) {
  return {
    at,
    byte() {
      return bytes[this.at++];
    },
    /** An unsigned number in LEB128. */
    number() {
      let [value, scale, byte] = [0, 1, 0];
      do {
        byte = this.byte();
        value += (byte & 127) * scale;
        scale *= 128;
      } while (byte & 128);
      return value;
    },
    /** As many bytes as the number before them says. */
    bytes() {
      const length = this.number();
      this.at += length;
      return bytes.subarray(this.at - length, this.at);
    },
    text() {
      return this.bytes().toString('latin1');
    },
  };
}

/** An unsigned number in LEB128. */
export function leb(number) {
  const bytes = [];
  let rest = number;
  do {
    bytes.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

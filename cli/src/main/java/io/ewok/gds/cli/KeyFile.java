package io.ewok.gds.cli;

import io.ewok.gds.pagestore.KeySource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Keys in a text file: a line for each, its number from 1 on and its 32 bytes as 64 hexadecimal
 * digits. The last of them has the one for what is written from now on. A line {@code encrypted
 * only} says that nothing is read that is not encrypted. Empty lines and those that begin with
 * {@code #} mean nothing.
 *
 * <pre>
 * # openssl rand -hex 32
 * 1 6d51ad8d...
 * 2 0f3c9b52...
 * encrypted only
 * </pre>
 */
final class KeyFile implements KeySource {
  private static final String NOTHING_PLAIN = "encrypted only";

  private final Map<Integer, byte[]> keys = new TreeMap<>();
  private int currentId = NOT_ENCRYPTED;
  private boolean readsPlain = true;

  /**
   * Reads a file.
   *
   * @throws CommandFailure if it is not such a file, or others than its owner may read it
   * @throws IOException if it cannot be read
   */
  static KeyFile read(Path path) throws IOException {
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(path);
    if (permissions.contains(PosixFilePermission.GROUP_READ)
        || permissions.contains(PosixFilePermission.OTHERS_READ)) {
      throw CommandFailure.failed(
          "others than its owner may read the file of the keys, chmod 600 helps: path=" + path);
    }
    KeyFile file = new KeyFile();
    int number = 0;
    for (String line : Files.readAllLines(path)) {
      number++;
      if (!line.isBlank() && !line.startsWith("#")) {
        file.add(line.strip(), path, number);
      }
    }
    if (file.currentId == NOT_ENCRYPTED) {
      throw CommandFailure.failed("the file has no keys: path=" + path);
    }
    return file;
  }

  /** What is wrong with a line is told without the line: it may be a key. */
  private void add(String text, Path path, int line) {
    if (text.equals(NOTHING_PLAIN)) {
      readsPlain = false;
      return;
    }
    int end = Math.max(0, text.indexOf(' '));
    try {
      int id = Integer.parseInt(text.substring(0, end));
      byte[] key = HexFormat.of().parseHex(text.substring(end).strip());
      if (id > 0 && key.length == KEY_BYTES && !keys.containsKey(id)) {
        keys.put(id, key);
        currentId = id;
        return;
      }
    } catch (IllegalArgumentException _) {
      // It is told below what a line is.
    }
    throw CommandFailure.failed(
        "a line is a number from 1 on that no other line has, and 64 hexadecimal digits, or \"%s\": path=%s line=%d"
            .formatted(NOTHING_PLAIN, path, line));
  }

  @Override
  public int currentId() {
    return currentId;
  }

  @Override
  public byte[] key(int id) {
    return keys.get(id);
  }

  @Override
  public boolean readsPlain() {
    return readsPlain;
  }
}

package io.ewok.gds.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The arguments of this process as they were typed: bytes, of which Java makes characters.
 *
 * <p>Java sees a replacement character for what is none in the charset of the locale, be it a
 * Cyrillic letter under the C locale or any byte of a file name that is not UTF-8. Two different
 * keys would become one, silently, and a directory would be made beside the one that is meant. So
 * nothing is done with such arguments.
 *
 * <p>Any thread.
 */
final class ArgumentBytes {
  private static final char REPLACEMENT = '\uFFFD';

  private final byte[] commandLine;
  private final Charset charset;

  /**
   * @param commandLine the words of a process, of which the last are the arguments, each with a
   *     zero behind it; empty if they are not known
   * @param charset of the characters that were made of them
   */
  ArgumentBytes(byte[] commandLine, Charset charset) {
    this.commandLine = commandLine.clone();
    this.charset = charset;
  }

  static ArgumentBytes ofProcess() {
    Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
    try {
      return new ArgumentBytes(Files.readAllBytes(Path.of("/proc/self/cmdline")), charset);
    } catch (IOException e) {
      return new ArgumentBytes(new byte[0], charset); // The characters alone have to do.
    }
  }

  /** What is wrong with the first argument that Java could not make characters of, if any. */
  Optional<String> lost(String... args) {
    List<byte[]> words = words();
    int first = words.size() - args.length;
    for (int i = 0; i < args.length; i++) {
      if (args[i].indexOf(REPLACEMENT) >= 0 && (first < 0 || !isText(words.get(first + i)))) {
        return Optional.of(
            "an argument is no text in the locale's charset; set LC_ALL=C.UTF-8 if it is UTF-8, else"
                + " give keys with --hex and rename files: charset=%s argument=%s"
                    .formatted(charset, args[i]));
      }
    }
    return Optional.empty();
  }

  private List<byte[]> words() {
    List<byte[]> words = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < commandLine.length; i++) {
      if (commandLine[i] == 0) {
        words.add(Arrays.copyOfRange(commandLine, start, i));
        start = i + 1;
      }
    }
    return words;
  }

  /** The replacement character itself may be meant; nothing else becomes it if all is text. */
  private boolean isText(byte[] word) {
    try {
      charset.newDecoder().decode(ByteBuffer.wrap(word));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }
}

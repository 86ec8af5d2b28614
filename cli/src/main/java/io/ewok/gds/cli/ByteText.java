package io.ewok.gds.cli;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/** Keys and values between their bytes and what a person types or reads. */
final class ByteText {
  private static final int SHOWN_BYTES_MAX = 200;

  private ByteText() {}

  /**
   * The bytes of an argument.
   *
   * @param hex whether the argument is hexadecimal digits, two a byte, else it stands for its UTF-8
   *     bytes
   */
  static byte[] parse(String name, String text, boolean hex) {
    if (!hex) {
      return text.getBytes(StandardCharsets.UTF_8);
    }
    try {
      return HexFormat.of().parseHex(text);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(
          "with --hex, " + name + " must be pairs of hexadecimal digits: " + name + "=" + text);
    }
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /** The text these bytes encode in UTF-8, or null when they do not. */
  static String utf8OrNull(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /** Bytes in a message: quoted and shortened, hexadecimal when they are not printable text. */
  static String show(byte[] bytes) {
    boolean cut = bytes.length > SHOWN_BYTES_MAX;
    byte[] shown = cut ? Arrays.copyOf(bytes, SHOWN_BYTES_MAX) : bytes;
    String text = utf8OrNull(shown);
    boolean printable = text != null && text.chars().noneMatch(Character::isISOControl);
    String body = printable ? '"' + text + '"' : "0x" + hex(shown);
    return cut ? body + "... (" + bytes.length + " bytes)" : body;
  }
}

package io.ewok.gds.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command reads and prints: the process's streams, or a test's.
 *
 * <p>Results go to {@link #out} as bytes (a value is printed as it is stored), everything else goes
 * to {@link #error} and {@link #note}. Text is UTF-8 whatever the locale says.
 *
 * <p>Printing results is confined to the command's thread. Notes and errors: any thread.
 *
 * <p>Errors: a result that cannot be written because its reader has gone is a {@link
 * ClosedPipeException}; any other failure to write one is a {@link CommandFailure}.
 */
final class Streams {
  /** What is longer than a line of the terminal ends at its edge: no line goes on in the next. */
  static final String CUT_LINES = "\u001B[?7l";

  /** Ends {@link #CUT_LINES}. */
  static final String WRAP_LINES = "\u001B[?7h";

  private static final int BUFFER_BYTES = 1 << 16;

  private final InputStream in;
  private final OutputStream out;
  private final PrintStream err;
  private final boolean progressOnTerminal;
  private final boolean colours;

  /** Streams of a test: {@code out} and {@code err} are not taken for a terminal. */
  Streams(InputStream in, OutputStream out, OutputStream err) {
    this(in, out, err, false, false);
  }

  /** Streams of a test that may be taken for a terminal. */
  Streams(
      InputStream in, OutputStream out, OutputStream err, boolean errTerminal, boolean colours) {
    this.in = new Input(in);
    this.out = new BufferedOutputStream(out, BUFFER_BYTES);
    this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
    this.progressOnTerminal = errTerminal;
    this.colours = colours;
  }

  static Streams ofProcess() {
    boolean errTerminal = isCapableTerminal(2);
    boolean colours = errTerminal && mayColour();
    return new Streams(
        new FileInputStream(FileDescriptor.in),
        new FileOutputStream(FileDescriptor.out),
        new FileOutputStream(FileDescriptor.err),
        errTerminal,
        colours);
  }

  /** Standard input; that it cannot be read is told by its name. */
  InputStream in() {
    return in;
  }

  private static final class Input extends FilterInputStream {
    Input(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      try {
        return super.read();
      } catch (IOException e) {
        throw failure(e);
      }
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      try {
        return super.read(bytes, offset, length);
      } catch (IOException e) {
        throw failure(e);
      }
    }

    private static IOException failure(IOException e) {
      return new IOException("cannot read standard input: reason=" + e.getMessage(), e);
    }
  }

  /** Whether standard error is a terminal that can redraw a line. */
  boolean progressOnTerminal() {
    return progressOnTerminal;
  }

  /** Whether standard error may be coloured: a terminal, and {@code NO_COLOR} is not set. */
  boolean colours() {
    return colours;
  }

  /** Whether standard output is a terminal that can be redrawn. */
  static boolean outputIsTerminal() {
    return isCapableTerminal(1);
  }

  /** Whether standard output may be coloured, on the same condition. */
  static boolean colouredOutput() {
    return isCapableTerminal(1) && mayColour();
  }

  /** One that understands more than text. */
  private static boolean isCapableTerminal(int descriptor) {
    return isTerminal(descriptor) && !"dumb".equals(System.getenv("TERM"));
  }

  /** As no-color.org has it. */
  private static boolean mayColour() {
    String noColour = System.getenv("NO_COLOR");
    return noColour == null || noColour.isEmpty();
  }

  /** Prints bytes of a result. */
  void out(byte[] bytes) {
    out(bytes, 0, bytes.length);
  }

  void out(byte[] bytes, int offset, int lengthBytes) {
    try {
      out.write(bytes, offset, lengthBytes);
    } catch (IOException e) {
      throw outputFailure(e);
    }
  }

  void out(int oneByte) {
    try {
      out.write(oneByte);
    } catch (IOException e) {
      throw outputFailure(e);
    }
  }

  /** Prints text of a result; the caller ends the line. */
  void out(String text) {
    out(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Hands everything printed so far to the system. */
  void flush() {
    try {
      out.flush();
    } catch (IOException e) {
      throw outputFailure(e);
    }
  }

  /** Prints one line on standard error, of what the user should know besides the result. */
  void note(String line) {
    err.println(line);
  }

  /**
   * Prints text on standard error without ending the line; only for redrawing a terminal's line.
   */
  void draw(String text) {
    err.print(text);
    err.flush();
  }

  /** Prints what went wrong, on one line. */
  void error(String message) {
    err.println("gds: " + message.strip().replaceAll("\\s*\\R\\s*", "; "));
  }

  void stackTrace(Throwable thrown) {
    thrown.printStackTrace(err);
  }

  PrintStream err() {
    return err;
  }

  private static RuntimeException outputFailure(IOException e) {
    // The JDK has no exception of its own for EPIPE; the text is the C library's, in the C locale
    // it sets.
    String message = String.valueOf(e.getMessage());
    if (message.contains("Broken pipe") || message.contains("Connection reset")) {
      return new ClosedPipeException(e);
    }
    return CommandFailure.failed("cannot write to standard output: reason=" + message, e);
  }

  /**
   * System.console() answers for input and output together; the link tells about one descriptor.
   */
  private static boolean isTerminal(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException e) {
      return false; // Not a link we may read, so not a terminal we would draw on.
    }
  }
}

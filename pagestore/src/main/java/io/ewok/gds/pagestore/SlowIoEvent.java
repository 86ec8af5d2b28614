package io.ewok.gds.pagestore;

import java.nio.file.Path;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/**
 * A read, write or sync took long, what limits held it back included. Its thread has gone on since:
 * no stack. Off unless a recording asks for it, since each operation is an object then.
 */
@Name("io.ewok.gds.SlowIo")
@Label("Slow I/O")
@Category("GDS")
@Description("A read, write or sync took longer than the threshold, from its submission to its end")
@Enabled(false)
@Threshold("20 ms")
@StackTrace(false)
final class SlowIoEvent extends Event {
  /** Tells whether somebody records them, without an object for the question. */
  private static final SlowIoEvent ANY = new SlowIoEvent();

  @Label("File")
  String path;

  @Label("Operation")
  String operation;

  @Label("Class of Work")
  String workClass;

  @Label("Offset")
  long offset;

  @Label("Size")
  @DataAmount
  long bytes;

  @Label("Failed")
  boolean failed;

  /** An operation begins. Returns null if nobody wants to know how long it takes. */
  static SlowIoEvent beginOrNull() {
    if (!ANY.isEnabled()) {
      return null;
    }
    SlowIoEvent event = new SlowIoEvent();
    event.begin();
    return event;
  }

  /** It has ended, on whichever thread. */
  void end(
      Path path, IoRequest.Kind kind, WorkClass work, long offset, long bytes, boolean failed) {
    end();
    if (shouldCommit()) {
      this.path = path.toString();
      this.operation = kind.verb();
      this.workClass = work.name();
      this.offset = offset;
      this.bytes = bytes;
      this.failed = failed;
      commit();
    }
  }
}

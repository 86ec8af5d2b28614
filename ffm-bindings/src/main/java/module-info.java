/**
 * liburing and Linux system calls for Java, through the Foreign Function and Memory API. The only
 * module of GDS that makes restricted calls: start the JVM with {@code
 * --enable-native-access=io.ewok.gds.ffm,org.jnrproject.jffi}.
 */
// The modules named in qualified exports stand above this one and are not there when it is
// compiled.
@SuppressWarnings("module")
module io.ewok.gds.ffm {
  requires io.ewok.gds.natives;
  requires org.jnrproject.constants;
  requires org.jnrproject.posix;
  // jnr-ffi generates code with it, but an automatic module cannot say so, and without it jnr-posix
  // is not native.
  requires org.objectweb.asm;

  exports io.ewok.gds.ffm;
  exports io.ewok.gds.ffm.liburing to
      io.ewok.gds.pagestore;
  exports io.ewok.gds.ffm.unchecked to
      io.ewok.gds.allocator,
      io.ewok.gds.pagestore,
      io.ewok.gds.bufferpool,
      io.ewok.gds.lsm;
}

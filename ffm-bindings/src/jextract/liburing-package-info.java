/**
 * Generated bindings of liburing: the structures that a ring shares with the kernel, its calls, its constants. Written
 * by jextract through {@code src/jextract/regenerate.sh}; change {@code liburing.args}, not these files.
 *
 * <p>The structures are compared with the C compiler by {@code StructLayoutTest}. Calls return {@code -errno}. {@code
 * io_uring_enter} may block and must not be made by a virtual thread.
 */
package io.ewok.gds.ffm.liburing;

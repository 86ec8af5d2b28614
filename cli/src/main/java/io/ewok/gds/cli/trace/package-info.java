/**
 * Recorded traces: the formats they come in, and a picture of what a replay found.
 *
 * <p>Nouns: a <em>request</em> is what one line or record of a trace asks for, one key or a run of
 * blocks.
 *
 * <p>Threads: everything is confined to the thread that uses it. Null is never an argument. {@link
 * io.ewok.gds.cli.trace.TraceFormatException} says where a trace is not of its format.
 *
 * {@snippet :
 * TraceFormat.ARC.read(in, "p3", (first, count) -> blocks += count);
 * }
 */
package io.ewok.gds.cli.trace;

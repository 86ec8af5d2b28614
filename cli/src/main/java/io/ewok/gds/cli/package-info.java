/**
 * The {@code gds} command.
 *
 * <p>It is a thin shell over {@link io.ewok.gds.lsm.Store}: it parses what a person typed, calls
 * the store, and prints what came back, as text or (with {@code --json}) as JSON lines. It holds no
 * storage logic of its own and nothing here is meant to be called by other modules.
 *
 * <p>Nouns: a <em>command</em> is one class named after what is typed; {@link
 * io.ewok.gds.cli.Streams} is where it reads and prints; an {@link io.ewok.gds.cli.EntryReader}
 * turns a file into keys and values; a {@link io.ewok.gds.cli.Configuration} is what file and
 * options say of a store; a {@link io.ewok.gds.cli.Finding} is what {@code gds doctor} saw; a
 * {@link io.ewok.gds.cli.DataSet} keeps a whole file in the heap to check a store against.
 *
 * <p>Exit status: 0 done, 1 it could not be done or was not found, 2 the command line is wrong, 130
 * interrupted by Ctrl-C (the Java runtime's; stores are then as after a crash, which is good), 141
 * whoever read our output has gone. Errors are one line on standard error; {@code --debug} adds the
 * stack trace.
 *
 * <p>Threads: a command is confined to the thread that runs it unless it says otherwise. Null is
 * never an argument; an option that was not given is a null field, as picocli leaves it.
 *
 * <pre>{@code
 * gds put /tmp/s greeting hello
 * gds get /tmp/s greeting
 * gds scan /tmp/s --prefix gr --json
 * gds doctor
 * gds demo
 * }</pre>
 */
package io.ewok.gds.cli;

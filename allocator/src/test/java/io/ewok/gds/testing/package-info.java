/**
 * Runs parts of a test elsewhere: in JVMs of their own, and in virtual machines. For the tests of
 * this module and those above it, to which it comes in a jar of tests.
 *
 * <p>Threads: one. Null is never accepted and never returned.
 *
 * <pre>{@code
 * new Jcstress(Duration.ofMinutes(5), 300).assertForbiddenOnlyIn(BrokenSpecimen.class);
 * }</pre>
 */
package io.ewok.gds.testing;

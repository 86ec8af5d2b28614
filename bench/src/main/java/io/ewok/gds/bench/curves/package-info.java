/**
 * What a workload did while it was watched, as curves: how long its operations took, and how many
 * ended when. A {@link io.ewok.gds.bench.curves.CurveRecorder} belongs to one thread or fiber that
 * works; {@link io.ewok.gds.bench.curves.Curves} are what is left of all of them, small enough to
 * be handed to another process and to be drawn.
 *
 * <p>Nothing is null.
 */
package io.ewok.gds.bench.curves;

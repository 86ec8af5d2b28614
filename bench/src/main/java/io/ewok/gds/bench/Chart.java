package io.ewok.gds.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.ewok.gds.bench.curves.Curves;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a page draws besides ratios. It is on the page alone, as data in it: rates and times of an
 * hour are not to be compared with those of another, and what is to be compared of them are rows.
 *
 * @param kind what its axes are
 * @param title what it is of
 * @param labels of the bars; lines have none
 * @param series ours first; those of one name have one colour on all charts of a page
 */
record Chart(Kind kind, String title, List<String> labels, List<Series> series) {
  private static final JsonFactory JSON = new JsonFactory();

  /** Axes, and where on the page it stands. */
  enum Kind {
    /** Lines over seconds, of operations a second. */
    TIME,

    /** Lines over percentiles, each by how many operations one is slower: microseconds. */
    LATENCY,

    /** Lines over the size of a cache, in per cent of all keys: hits, in per cent. */
    HITS,

    /** Bars: bytes written for a byte of records. */
    WRITES
  }

  /**
   * A line, or the bars of one colour.
   *
   * @param name who it is
   * @param x one for each point; none of bars, which are in the order of the labels
   * @param y one for each point; not a number where there is none
   */
  record Series(String name, List<Double> x, List<Double> y) {}

  /** Returns lines of how much ended when; those of nobody who was seen too shortly. */
  static Chart overTime(String title, Map<String, Curves> curves) {
    List<Series> series = new ArrayList<>();
    curves.forEach(
        (name, each) -> {
          List<Double> seconds = new ArrayList<>();
          for (int i = 0; i < each.perSecond().size(); i++) {
            seconds.add((i + 0.5) * each.sliceSeconds());
          }
          if (each.perSecond().stream().filter(rate -> rate > 0).count() > 1) {
            series.add(new Series(name, seconds, each.perSecond()));
          }
        });
    return new Chart(Kind.TIME, title, List.of(), series);
  }

  /** Returns lines of how long operations took. */
  static Chart latencies(String title, Map<String, Curves> curves) {
    List<Series> series = new ArrayList<>();
    curves.forEach(
        (name, each) -> {
          List<Double> oneIn = new ArrayList<>();
          List<Double> micros = new ArrayList<>();
          for (int i = 0; i < each.latencyMicros().size(); i++) {
            double value = each.latencyMicros().get(i);
            if (Double.isFinite(value) && value > 0) {
              oneIn.add(1 / (1 - Curves.PERCENTILES.get(i) / 100));
              micros.add(value);
            }
          }
          if (micros.size() > 1) {
            series.add(new Series(name, oneIn, micros));
          }
        });
    return new Chart(Kind.LATENCY, title, List.of(), series);
  }

  /** Returns both of the above, as far as they have a line. */
  static List<Chart> of(String title, Map<String, Curves> curves) {
    return List.of(overTime(title, curves), latencies(title, curves)).stream()
        .filter(chart -> !chart.series.isEmpty())
        .toList();
  }

  /** Returns a JSON object in one line. */
  String toJson() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("kind", kind.name());
      json.writeStringField("title", title);
      json.writeArrayFieldStart("labels");
      for (String label : labels) {
        json.writeString(label);
      }
      json.writeEndArray();
      json.writeArrayFieldStart("series");
      for (Series each : series) {
        json.writeStartObject();
        json.writeStringField("name", each.name());
        write(json, "x", each.x());
        write(json, "y", each.y());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a string has no errors
    }
    return text.toString();
  }

  private static void write(JsonGenerator json, String name, List<Double> numbers)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (double number : numbers) {
      json.writeRawValue(Comparison.number(number));
    }
    json.writeEndArray();
  }
}

package io.ewok.gds.buffers;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;

/** Puts a piece of the test's code in front of an operation on an engine's files. */
final class GatedEngine {
  private GatedEngine() {}

  /** May throw instead of letting the operation pass. */
  interface Gate {
    void pass() throws IOException;
  }

  /**
   * Lets the gate decide before each call of one of IoFile's methods. Transfers are done at once,
   * by whoever submits them.
   */
  static IoEngine before(String operation, IoEngine engine, Gate gate) {
    return proxy(
        IoEngine.class,
        (method, arguments) -> {
          if (method.getName().equals("submitAll")) {
            perform(arguments);
            return null;
          }
          Object result = call(engine, method, arguments);
          return result instanceof IoFile file ? gated(operation, file, gate) : result;
        });
  }

  /** What the gate lets pass, and does not, of the syncs of one file. */
  interface SyncGate {
    boolean passes();
  }

  /**
   * Leaves out syncs of a file, and says that they have been done. Transfers are done at once, by
   * whoever submits them.
   */
  static IoEngine withoutSyncs(Path path, IoEngine engine, SyncGate gate) {
    return proxy(
        IoEngine.class,
        (method, arguments) -> {
          if (method.getName().equals("submitAll")) {
            perform(arguments);
            return null;
          }
          Object result = call(engine, method, arguments);
          return result instanceof IoFile file && file.path().equals(path)
              ? lossy(file, gate)
              : result;
        });
  }

  /** The engine below knows the files only that are behind the gate. */
  private static void perform(Object[] batch) {
    for (int i = 0; i < (int) batch[1]; i++) {
      ((IoRequest[]) batch[0])[i].perform();
    }
  }

  private static IoFile lossy(IoFile file, SyncGate gate) {
    Class<?>[] transfer = {long.class, Region.class, long.class, int.class};
    return proxy(
        IoFile.class,
        (method, arguments) -> {
          boolean sync = method.getName().equals("sync");
          if ((sync || method.getName().equals("writeSynced")) && !gate.passes()) {
            return sync ? null : call(file, IoFile.class.getMethod("write", transfer), arguments);
          }
          return call(file, method, arguments);
        });
  }

  private static IoFile gated(String operation, IoFile file, Gate gate) {
    return proxy(
        IoFile.class,
        (method, arguments) -> {
          if (method.getName().equals(operation)) {
            gate.pass();
          }
          return call(file, method, arguments);
        });
  }

  private interface Handler {
    Object handle(Method method, Object[] arguments) throws Throwable;
  }

  private static <T> T proxy(Class<T> type, Handler handler) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> handler.handle(method, arguments)));
  }

  private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}

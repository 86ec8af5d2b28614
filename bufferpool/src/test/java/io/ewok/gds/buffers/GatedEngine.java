package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/** Puts a piece of the test's code in front of an operation on an engine's files. */
final class GatedEngine {
  private GatedEngine() {}

  /** May throw instead of letting the operation pass. */
  interface Gate {
    void pass() throws IOException;
  }

  /** Lets the gate decide before each call of one of IoFile's methods. */
  static IoEngine before(String operation, IoEngine engine, Gate gate) {
    return proxy(
        IoEngine.class,
        (method, arguments) -> {
          Object result = call(engine, method, arguments);
          return result instanceof IoFile file ? gated(operation, file, gate) : result;
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

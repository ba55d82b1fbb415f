// Apache's HttpClient 5 with its defaults: makes the calls that stdin asks for.

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.Base64;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.FileEntity;

class Apache {
    public static void main(String[] arguments) throws Exception {
        CloseableHttpClient client = HttpClients.createDefault();
        BufferedReader calls = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = calls.readLine()) != null; ) {
            String[] call = line.split("\t", -1);
            HttpUriRequestBase request =
                    new HttpUriRequestBase(call[0], java.net.URI.create(call[1]));
            request.setHeader("Authorization", "Key " + call[2]);
            if (!call[3].isEmpty()) {
                request.setEntity(new FileEntity(new File(call[3]), ContentType.APPLICATION_JSON));
            }
            try (CloseableHttpResponse answer = client.execute(request)) {
                byte[] body = answer.getEntity() == null
                        ? new byte[0] : EntityUtils.toByteArray(answer.getEntity());
                var cache = answer.getFirstHeader("x-falgate-cache");
                say(Integer.toString(answer.getCode()), cache == null ? "" : cache.getValue(), body);
            } catch (Exception error) {
                say("error", "", error.toString().getBytes());
            }
        }
    }

    static void say(String status, String cache, byte[] body) {
        System.out.println(status + "\t" + cache + "\t" + Base64.getEncoder().encodeToString(body));
        System.out.flush();
    }
}

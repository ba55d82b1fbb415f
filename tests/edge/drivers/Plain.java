// Java's own HttpClient with its defaults, which offer h2c: makes the calls that stdin asks for.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Base64;

class Plain {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        BufferedReader calls = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = calls.readLine()) != null; ) {
            String[] call = line.split("\t", -1);
            try {
                HttpRequest request = HttpRequest.newBuilder(URI.create(call[1]))
                        .header("Authorization", "Key " + call[2])
                        .header("Content-Type", "application/json")
                        .method(call[0], call[3].isEmpty()
                                ? BodyPublishers.noBody()
                                : BodyPublishers.ofFile(Path.of(call[3])))
                        .build();
                HttpResponse<byte[]> answer = client.send(request, BodyHandlers.ofByteArray());
                say(Integer.toString(answer.statusCode()),
                        answer.headers().firstValue("x-falgate-cache").orElse(""), answer.body());
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

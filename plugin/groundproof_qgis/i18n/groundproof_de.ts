<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
    <context>
        <name>groundproof</name>
        <message>
            <location filename="../answer/answer.py" />
            <source>1 box so far</source>
            <translation>1 Rahmen bisher</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>1 box, no answer</source>
            <translation>1 Rahmen, keine Antwort</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>cancelled before all tiles were looked at</source>
            <translation>abgebrochen, bevor alle Kacheln angesehen waren</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>nobody waited for the answer; follow it again</source>
            <translation>auf die Antwort wurde nicht gewartet; verfolgen Sie sie weiter</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>the engine stopped before it had answered</source>
            <translation>die Engine wurde beendet, bevor sie geantwortet hatte</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{answers}; and {n} more answers</source>
            <translation>{answers}; und {n} weitere Antworten</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{n} boxes so far</source>
            <translation>{n} Rahmen bisher</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{n} boxes, no answer</source>
            <translation>{n} Rahmen, keine Antwort</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{n} of {tiles} tiles</source>
            <translation>{n} von {tiles} Kacheln</translation>
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <location filename="../processing/many_telling.py" />
            <source>{progress}, {n} failed</source>
            <translation>{progress}, {n} fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} accepted</source>
            <translation>{n} angenommen</translation>
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} added</source>
            <translation>{n} ergänzt</translation>
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} adjusted</source>
            <translation>{n} angepasst</translation>
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} counted</source>
            <translation>{n} gezählt</translation>
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} counted after your review ({done})</source>
            <translation>{n} gezählt nach Ihrer Prüfung ({done})</translation>
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} rejected</source>
            <translation>{n} abgelehnt</translation>
        </message>
        <message>
            <location filename="../answer/evidence.py" />
            <location filename="../asking/size_words.py" />
            <source>{width} x {height} m</source>
            <translation>{width} x {height} m</translation>
        </message>
        <message>
            <location filename="../answer/evidence.py" />
            <source>{width} x {height} px</source>
            <translation>{width} x {height} px</translation>
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>Places in the model's sentences, such as top or left, are places within the tile that it looked at, not within the map.</source>
            <translation>Ortsangaben in den Sätzen des Modells, etwa oben oder links, gelten innerhalb der Kachel, die es sich angesehen hat, nicht auf der Karte.</translation>
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>also checked</source>
            <translation>auch kontrolliert</translation>
        </message>
        <message>
            <location filename="../answer/html.py" />
            <location filename="../processing/ask_many_scenes.py" />
            <source>and {n} more</source>
            <translation>und {n} weitere</translation>
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>error</source>
            <translation>Fehler</translation>
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>pixels {window}</source>
            <translation>Pixel {window}</translation>
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>warning</source>
            <translation>Warnung</translation>
        </message>
        <message>
            <location filename="../answer/part.py" />
            <location filename="../gui/history_menu.py" />
            <location filename="../report/report.py" />
            <source>no answer</source>
            <translation>keine Antwort</translation>
        </message>
        <message>
            <location filename="../answer/part.py" />
            <source>{n} % of the area has no imagery</source>
            <translation>{n} % der Fläche haben kein Bild</translation>
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>at most {n} MB</source>
            <translation>höchstens {n} MB</translation>
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} MP</source>
            <translation>{n} MP</translation>
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} h</source>
            <translation>{n} h</translation>
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} m per px</source>
            <translation>{n} m je px</translation>
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} min</source>
            <translation>{n} min</translation>
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} px</source>
            <translation>{n} px</translation>
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} s</source>
            <translation>{n} s</translation>
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{width} x {height} km</source>
            <translation>{width} x {height} km</translation>
        </message>
        <message>
            <location filename="../control/asking.py" />
            <source>Cancel</source>
            <translation>Abbrechen</translation>
        </message>
        <message>
            <location filename="../control/asking.py" />
            <source>Results cannot be kept in {folder}: {reason}. Choose another folder in the settings.</source>
            <translation>In {folder} lassen sich keine Ergebnisse ablegen: {reason}. Wählen Sie in den Einstellungen einen anderen Ordner.</translation>
        </message>
        <message>
            <location filename="../control/asking.py" />
            <source>Sending imagery: {percent} %</source>
            <translation>Bilder werden gesendet: {percent} %</translation>
        </message>
        <message>
            <location filename="../control/asking.py" />
            <source>The result holds {part}.</source>
            <translation>Das Ergebnis enthält {part}.</translation>
        </message>
        <message>
            <location filename="../control/asking.py" />
            <source>The run's record could not be written to {folder}: {reason}.</source>
            <translation>Der Eintrag des Laufs konnte nicht nach {folder} geschrieben werden: {reason}.</translation>
        </message>
        <message>
            <location filename="../control/asking.py" />
            <source>This was asked of {engine}, which has it. Choose that engine in the settings, then go on.</source>
            <translation>Das wurde {engine} gefragt und liegt dort. Wählen Sie diese Engine in den Einstellungen und machen Sie dann weiter.</translation>
        </message>
        <message>
            <location filename="../control/asking.py" />
            <source>what the map shows</source>
            <translation>was die Karte zeigt</translation>
        </message>
        <message>
            <location filename="../control/demo.py" />
            <source>groundproof demo scene</source>
            <translation>Beispielszene von groundproof</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>A accepts, R rejects in the list; QGIS's tools move and draw boxes. Press Review again to save.</source>
            <translation>A nimmt an, R lehnt in der Liste ab; mit den Werkzeugen von QGIS verschieben und zeichnen Sie Rahmen. Zum Speichern noch einmal auf Prüfung drücken.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>A layer or map theme of that question is not in the project any more. Choose the pixels.</source>
            <translation>Ein Layer oder Kartenthema dieser Frage ist nicht mehr im Projekt. Wählen Sie die Pixel.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>A question is being asked. Wait for it, or cancel it, then go on with the other.</source>
            <translation>Eine Frage läuft gerade. Warten Sie auf sie, oder brechen Sie sie ab, und setzen Sie dann die andere fort.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>Go on</source>
            <translation>Fortsetzen</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>How this was asked cannot be read any more. Ask it anew.</source>
            <translation>Wie dies gefragt wurde, ist nicht mehr lesbar. Fragen Sie es neu.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>Open the folder</source>
            <translation>Ordner öffnen</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>Select the polygons again: only their layer is chosen.</source>
            <translation>Wählen Sie die Polygone noch einmal aus: Nur ihr Layer ist gewählt.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>Show them again</source>
            <translation>Wieder anzeigen</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>The answer to a question of a project that is closed now is kept in {path}.</source>
            <translation>Die Antwort auf eine Frage eines inzwischen geschlossenen Projekts ist in {path} gespeichert.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <location filename="../layers/result.py" />
            <source>The boxes of this answer are not on the map.</source>
            <translation>Die Rahmen dieser Antwort sind nicht auf der Karte.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>The engine does not know this answer any more, so it cannot be followed up. Ask anew.</source>
            <translation>Die Engine kennt diese Antwort nicht mehr, deshalb ist keine Nachfrage möglich. Fragen Sie neu.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>There is no result to write: the question gave none.</source>
            <translation>Es gibt kein Ergebnis zu schreiben: Die Frage hat keines ergeben.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>This question never reached the engine. Ask it again.</source>
            <translation>Diese Frage hat die Engine nie erreicht. Stellen Sie sie noch einmal.</translation>
        </message>
        <message>
            <location filename="../control/desk.py" />
            <source>{path} is not there any more: somebody moved, renamed or removed it.</source>
            <translation>{path} ist nicht mehr da: Jemand hat die Datei verschoben, umbenannt oder entfernt.</translation>
        </message>
        <message>
            <location filename="../control/engine_controls.py" />
            <location filename="../gui/engine_line.py" />
            <source>Install...</source>
            <translation>Installieren...</translation>
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>Is the engine there</source>
            <translation>Ist die Engine erreichbar</translation>
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>this computer</source>
            <translation>dieser Rechner</translation>
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>{host}, {model}: ready.</source>
            <translation>{host}, {model}: bereit.</translation>
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>{host}: {sentence}</source>
            <translation>{host}: {sentence}</translation>
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>{model} on {where}</source>
            <translation>{model}, {where}</translation>
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>{url}: asking whether it is there.</source>
            <translation>{url}: Es wird gefragt, ob die Engine erreichbar ist.</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>Archive (*.zip)</source>
            <translation>Archiv (*.zip)</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>Export corrections as</source>
            <translation>Korrekturen exportieren nach</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>Exporting corrections</source>
            <translation>Korrekturen werden exportiert</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>GeoPackage (*.gpkg)</source>
            <translation>GeoPackage (*.gpkg)</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>PDF (*.pdf)</source>
            <translation>PDF (*.pdf)</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>Save the report as</source>
            <translation>Bericht speichern unter</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>Save the result as</source>
            <translation>Ergebnis speichern unter</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>Saving the result</source>
            <translation>Ergebnis wird gespeichert</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>The report was written to {path}.</source>
            <translation>Der Bericht wurde nach {path} geschrieben.</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>The result was saved as {path}: all boxes, the review and the styles are in it.</source>
            <translation>Das Ergebnis wurde als {path} gespeichert: Alle Rahmen, die Prüfung und die Stile sind darin.</translation>
        </message>
        <message>
            <location filename="../control/exports.py" />
            <source>Web page (*.html)</source>
            <translation>Webseite (*.html)</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>Choose the engine's wheel</source>
            <translation>Wheel-Datei der Engine wählen</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>Remove the engine on this computer, {folder}? Results stay.</source>
            <translation>Die Engine auf diesem Rechner, {folder}, entfernen? Ergebnisse bleiben erhalten.</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>Removing the engine</source>
            <translation>Engine wird entfernt</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>The engine was removed.</source>
            <translation>Die Engine wurde entfernt.</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>Trying the connection</source>
            <translation>Verbindung wird geprüft</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>Version {version}, in {folder}</source>
            <translation>Version {version}, in {folder}</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>Version {version}: {sentence}</source>
            <translation>Version {version}: {sentence}</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>Wheel (groundproof-*.whl)</source>
            <translation>Wheel (groundproof-*.whl)</translation>
        </message>
        <message>
            <location filename="../control/installing.py" />
            <source>about 2 GB on disk; 7 GB where PyTorch comes only with CUDA</source>
            <translation>etwa 2 GB auf der Platte; 7 GB, wo es PyTorch nur mit CUDA gibt</translation>
        </message>
        <message>
            <location filename="../control/places.py" />
            <location filename="../gui/where_field.py" />
            <source>Draw the rectangle on the map first.</source>
            <translation>Zeichnen Sie zuerst das Rechteck auf der Karte.</translation>
        </message>
        <message>
            <location filename="../control/reporting.py" />
            <source>Writing the report</source>
            <translation>Bericht wird geschrieben</translation>
        </message>
        <message>
            <location filename="../control/results.py" />
            <source>Reading the result</source>
            <translation>Ergebnis wird gelesen</translation>
        </message>
        <message>
            <location filename="../control/reviewing.py" />
            <source>{counts}, not saved yet</source>
            <translation>{counts}, noch nicht gespeichert</translation>
        </message>
        <message>
            <location filename="../control/runs.py" />
            <source>Changes {before} to {after}</source>
            <translation>Änderungen {before} bis {after}</translation>
        </message>
        <message>
            <location filename="../control/runs.py" />
            <source>Comparing two runs</source>
            <translation>Zwei Läufe werden verglichen</translation>
        </message>
        <message>
            <location filename="../control/runs.py" />
            <source>Remove these {n} questions and delete their GeoPackages?</source>
            <translation>Diese {n} Fragen entfernen und ihre GeoPackages löschen?</translation>
        </message>
        <message>
            <location filename="../control/runs.py" />
            <source>Remove this question and delete its GeoPackage?</source>
            <translation>Diese Frage entfernen und ihr GeoPackage löschen?</translation>
        </message>
        <message>
            <location filename="../control/runs.py" />
            <source>The run is not there any more; somebody removed its files.</source>
            <translation>Den Lauf gibt es nicht mehr; seine Dateien wurden entfernt.</translation>
        </message>
        <message>
            <location filename="../control/showing.py" />
            <source>The box lies outside of what the map's coordinate reference system can show.</source>
            <translation>Der Rahmen liegt außerhalb dessen, was das Koordinatenbezugssystem der Karte zeigen kann.</translation>
        </message>
        <message>
            <location filename="../control/showing.py" />
            <source>{elapsed}, about {left} left</source>
            <translation>{elapsed}, noch etwa {left}</translation>
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>1 tile</source>
            <translation>1 Kachel</translation>
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>What the question would cost</source>
            <translation>Was die Frage kosten würde</translation>
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>about {time}</source>
            <translation>etwa {time}</translation>
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>at least {time}</source>
            <translation>mindestens {time}</translation>
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>{least} to {most}, the longer the more is found</source>
            <translation>{least} bis {most}, je mehr zu finden ist, desto länger</translation>
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>{n} tiles</source>
            <translation>{n} Kacheln</translation>
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>{pixels} at {resolution}</source>
            <translation>{pixels} bei {resolution}</translation>
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>{size}. {problem}</source>
            <translation>{size}. {problem}</translation>
        </message>
        <message>
            <location filename="../control/updating.py" />
            <source>The answer after the review</source>
            <translation>Die Antwort nach der Prüfung</translation>
        </message>
        <message>
            <location filename="../control/updating.py" />
            <source>The review is saved. The answer could not be made anew: {reason} It is tried again when the run is opened.</source>
            <translation>Die Prüfung ist gespeichert. Die Antwort konnte nicht neu erstellt werden: {reason} Beim Öffnen des Laufs wird es noch einmal versucht.</translation>
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>An engine's address has no spaces, user, question mark or #. Put the token into one of QGIS's authentication configurations, and give the address as {example}.</source>
            <translation>Die Adresse einer Engine enthält weder Leerzeichen noch Benutzer, Fragezeichen oder #. Legen Sie das Token in einer Authentifizierungskonfiguration von QGIS ab, und geben Sie die Adresse so an: {example}.</translation>
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>The engine's address is empty. Give one such as {example}.</source>
            <translation>Die Adresse der Engine ist leer. Geben Sie eine an, zum Beispiel {example}.</translation>
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>{text} is not an address: {why}. Give one such as {example}.</source>
            <translation>{text} ist keine Adresse: {why}. Geben Sie eine an, zum Beispiel {example}.</translation>
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>{text} is not an engine's address. It begins with https:// or http:// and a host, such as {example}.</source>
            <translation>{text} ist keine Adresse einer Engine. Sie beginnt mit https:// oder http:// und einem Rechnernamen, zum Beispiel {example}.</translation>
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>{url} is not encrypted: the token and the imagery would travel readable for everybody on the way. Use an address that begins with https://, or a tunnel to this computer.</source>
            <translation>{url} ist nicht verschlüsselt: Token und Bilder wären unterwegs für alle lesbar. Verwenden Sie eine Adresse, die mit https:// beginnt, oder einen Tunnel zu diesem Rechner.</translation>
        </message>
        <message>
            <location filename="../engine/child.py" />
            <source>It said nothing and ended with code {code}.</source>
            <translation>Sie hat nichts gemeldet und wurde mit dem Code {code} beendet.</translation>
        </message>
        <message>
            <location filename="../engine/child.py" />
            <source>It was ended from outside, or crashed.</source>
            <translation>Sie wurde von außen beendet oder ist abgestürzt.</translation>
        </message>
        <message>
            <location filename="../engine/child.py" />
            <location filename="../engine/command.py" />
            <source>{program} cannot be started: {why}.</source>
            <translation>{program} kann nicht gestartet werden: {why}.</translation>
        </message>
        <message>
            <location filename="../engine/client.py" />
            <source>The engine at {url} (version {version}) speaks interface {theirs}; this plugin (version {plugin}) speaks interface {ours}. Update the older of the two.</source>
            <translation>Die Engine unter {url} (Version {version}) spricht die Schnittstelle {theirs}; diese Erweiterung (Version {plugin}) spricht die Schnittstelle {ours}. Aktualisieren Sie die ältere von beiden.</translation>
        </message>
        <message>
            <location filename="../engine/client.py" />
            <source>The engine at {url} gave no {name}. Check its version.</source>
            <translation>Die Engine unter {url} hat {name} nicht angegeben. Prüfen Sie ihre Version.</translation>
        </message>
        <message>
            <location filename="../engine/client.py" />
            <source>{url} is not a groundproof engine: something else answers there. Check the address.</source>
            <translation>{url} ist keine Engine von groundproof: Dort antwortet etwas anderes. Prüfen Sie die Adresse.</translation>
        </message>
        <message>
            <location filename="../engine/data_folder.py" />
            <location filename="../engine/installation.py" />
            <source>The engine's folder cannot be made: {why}.</source>
            <translation>Der Ordner der Engine kann nicht angelegt werden: {why}.</translation>
        </message>
        <message>
            <location filename="../engine/data_folder.py" />
            <source>{n} engines run for QGIS on this computer already. Close one of the QGIS windows.</source>
            <translation>Auf diesem Rechner laufen schon {n} Engines für QGIS. Schließen Sie eines der QGIS-Fenster.</translation>
        </message>
        <message>
            <location filename="../engine/exchange.py" />
            <location filename="../processing/many_asking.py" />
            <location filename="../tasks/ask.py" />
            <source>Cancelled.</source>
            <translation>Abgebrochen.</translation>
        </message>
        <message>
            <location filename="../engine/exchange.py" />
            <source>The answer of {url} is larger than {limit} MB, so it was not read to its end.</source>
            <translation>Die Antwort von {url} ist größer als {limit} MB und wurde deshalb nicht zu Ende gelesen.</translation>
        </message>
        <message>
            <location filename="../engine/exchange.py" />
            <source>{received} of {whole} bytes came</source>
            <translation>{received} von {whole} Bytes sind angekommen</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>Installing PyTorch (about 200 MB).</source>
            <translation>PyTorch wird installiert (etwa 200 MB).</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>Installing the engine.</source>
            <translation>Die Engine wird installiert.</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>Looking for Python 3.11 or newer.</source>
            <translation>Es wird nach Python 3.11 oder neuer gesucht.</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>Making an environment with {python}.</source>
            <translation>Mit {python} wird eine Umgebung angelegt.</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>The engine could not be installed: {why} Check the network and QGIS's proxy, or choose a wheel file in the settings.</source>
            <translation>Die Engine konnte nicht installiert werden: {why} Prüfen Sie das Netzwerk und den Proxy von QGIS, oder wählen Sie in den Einstellungen eine Wheel-Datei.</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>The engine, version {version}, is installed.</source>
            <translation>Die Engine, Version {version}, ist installiert.</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>The installation cannot be kept: {why}.</source>
            <translation>Die Installation kann nicht gespeichert werden: {why}.</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>The installation was cancelled; what it had made is removed.</source>
            <translation>Die Installation wurde abgebrochen; was sie angelegt hatte, ist wieder entfernt.</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>What was installed is not the groundproof engine; it was removed.</source>
            <translation>Was installiert wurde, ist nicht die groundproof-Engine; es wurde entfernt.</translation>
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>it said nothing</source>
            <translation>es kam keine Meldung</translation>
        </message>
        <message>
            <location filename="../engine/installed.py" />
            <source>Choose the engine's wheel first: a wheel file made by scripts/package_engine, or an address that begins with https://.</source>
            <translation>Wählen Sie zuerst das Wheel der Engine: eine mit scripts/package_engine erstellte Wheel-Datei oder eine Adresse, die mit https:// beginnt.</translation>
        </message>
        <message>
            <location filename="../engine/installed.py" />
            <source>On the public package index the name groundproof is another project's, so the engine cannot be installed by name. Give a wheel file made by scripts/package_engine, or an address that begins with https://.</source>
            <translation>Im öffentlichen Paketverzeichnis gehört der Name groundproof einem anderen Projekt, daher lässt sich die Engine nicht über ihren Namen installieren. Geben Sie eine mit scripts/package_engine erstellte Wheel-Datei an oder eine Adresse, die mit https:// beginnt.</translation>
        </message>
        <message>
            <location filename="../engine/installed.py" />
            <source>There is no file {path}.</source>
            <translation>Es gibt keine Datei {path}.</translation>
        </message>
        <message>
            <location filename="../engine/installed.py" />
            <source>{source} cannot be installed. Give a wheel file made by scripts/package_engine, or an address that begins with https://.</source>
            <translation>{source} kann nicht installiert werden. Geben Sie eine mit scripts/package_engine erstellte Wheel-Datei an oder eine Adresse, die mit https:// beginnt.</translation>
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>An earlier engine has not ended yet; waiting for it.</source>
            <translation>Eine frühere Engine ist noch nicht beendet; es wird auf sie gewartet.</translation>
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine does not run on Windows yet. Connect to one on another computer.</source>
            <translation>Die Engine läuft noch nicht unter Windows. Verbinden Sie sich mit einer auf einem anderen Rechner.</translation>
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine is not installed on this computer. Install it, or connect to one that runs elsewhere.</source>
            <translation>Die Engine ist auf diesem Rechner nicht installiert. Installieren Sie sie, oder verbinden Sie sich mit einer, die anderswo läuft.</translation>
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine on this computer has ended: {said} Start it again; questions go on.</source>
            <translation>Die Engine auf diesem Rechner ist beendet: {said} Starten Sie sie neu; offene Fragen laufen weiter.</translation>
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine on this computer is not running.</source>
            <translation>Die Engine auf diesem Rechner läuft nicht.</translation>
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine on this computer is starting.</source>
            <translation>Die Engine auf diesem Rechner startet.</translation>
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine on this computer is stopping.</source>
            <translation>Die Engine auf diesem Rechner wird beendet.</translation>
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>This computer, {model}: ready.</source>
            <translation>Dieser Rechner, {model}: bereit.</translation>
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>No engine answers at {url}. Check that it runs, and its port.</source>
            <translation>Unter {url} antwortet keine Engine. Prüfen Sie, ob sie läuft, und ihren Port.</translation>
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>No engine answers at {url}. Check that it runs, its port, and the proxy that QGIS is set to use (Settings &gt; Options &gt; Network).</source>
            <translation>Unter {url} antwortet keine Engine. Prüfen Sie, ob sie läuft, ihren Port und den in QGIS eingestellten Proxy (Einstellungen &gt; Optionen &gt; Netzwerk).</translation>
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>No trusted connection to {url}: {why}. If the certificate is your organisation's, add it under Settings &gt; Options &gt; Authentication &gt; Manage Certificates.</source>
            <translation>Keine vertrauenswürdige Verbindung zu {url}: {why}. Wenn das Zertifikat von Ihrer Organisation stammt, fügen Sie es unter Einstellungen &gt; Optionen &gt; Authentifizierung &gt; Zertifikate verwalten hinzu.</translation>
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>The connection to the engine at {url} broke off: {why}.</source>
            <translation>Die Verbindung zur Engine unter {url} ist abgebrochen: {why}.</translation>
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>The engine at {url} has said nothing for {seconds:.0f} seconds. Try again, or ask its operator.</source>
            <translation>Die Engine unter {url} hat {seconds:.0f} Sekunden lang nichts gemeldet. Versuchen Sie es noch einmal, oder fragen Sie, wer sie betreibt.</translation>
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>The host of {url} cannot be found. Check the address and the network.</source>
            <translation>Der Rechner von {url} ist nicht zu finden. Prüfen Sie die Adresse und das Netzwerk.</translation>
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>The proxy that QGIS is set to use does not work: {why}. See Settings &gt; Options &gt; Network.</source>
            <translation>Der in QGIS eingestellte Proxy funktioniert nicht: {why}. Siehe Einstellungen &gt; Optionen &gt; Netzwerk.</translation>
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>{url} is not a groundproof engine: it does not speak HTTP. Check address and port.</source>
            <translation>{url} ist keine Engine von groundproof: Dort wird kein HTTP gesprochen. Prüfen Sie Adresse und Port.</translation>
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>The engine at {url} does not accept this token. Choose an authentication configuration that holds the engine's token as password (its operator has it).</source>
            <translation>Die Engine unter {url} nimmt dieses Token nicht an. Wählen Sie eine Authentifizierungskonfiguration, die das Token der Engine als Passwort enthält (wer sie betreibt, kennt es).</translation>
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>The proxy wants a user name and password. Give them in QGIS under Settings &gt; Options &gt; Network, or add the engine's address to the excluded ones there.</source>
            <translation>Der Proxy verlangt Benutzername und Passwort. Geben Sie beides in QGIS unter Einstellungen &gt; Optionen &gt; Netzwerk an, oder nehmen Sie die Adresse der Engine dort vom Proxy aus.</translation>
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>What answers at {url} does not reach the engine behind it ({status} {words}). Try again, or ask its operator.</source>
            <translation>Was unter {url} antwortet, erreicht die Engine dahinter nicht ({status} {words}). Versuchen Sie es noch einmal, oder fragen Sie, wer sie betreibt.</translation>
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>{url} answered {status} {words}, which is no answer of a groundproof engine. Check the address.</source>
            <translation>{url} hat mit {status} {words} geantwortet; so antwortet keine Engine von groundproof. Prüfen Sie die Adresse.</translation>
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>{url} is busy ({status} {words}). Try again in a while.</source>
            <translation>{url} ist ausgelastet ({status} {words}). Versuchen Sie es in einer Weile noch einmal.</translation>
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>{url} is not a groundproof engine: its answer cannot be read. Check the address.</source>
            <translation>{url} ist keine Engine von groundproof: Die Antwort ist nicht lesbar. Prüfen Sie die Adresse.</translation>
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>{url} sends on to {other}. If that is the engine you mean, give that address in the settings.</source>
            <translation>{url} leitet weiter zu {other}. Wenn Sie diese Engine meinen, geben Sie diese Adresse in den Einstellungen an.</translation>
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>Install Python 3.12 from https://www.python.org/downloads (for you alone is enough), then try again.</source>
            <translation>Installieren Sie Python 3.12 von https://www.python.org/downloads (nur für Sie selbst genügt), und versuchen Sie es dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>Install Python 3.12 from https://www.python.org/downloads, then try again.</source>
            <translation>Installieren Sie Python 3.12 von https://www.python.org/downloads, und versuchen Sie es dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>Install one with your system's package manager (on Debian and Ubuntu: sudo apt install python3.12 python3.12-venv), or choose one in the settings, then try again.</source>
            <translation>Installieren Sie eines mit der Paketverwaltung Ihres Systems (unter Debian und Ubuntu: sudo apt install python3.12 python3.12-venv), oder wählen Sie eines in den Einstellungen, und versuchen Sie es dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>Python {version} at {path} cannot make environments. Install what it lacks (on Debian and Ubuntu: sudo apt install python{version}-venv), then try again.</source>
            <translation>Python {version} unter {path} kann keine Umgebungen anlegen. Installieren Sie, was ihm fehlt (unter Debian und Ubuntu: sudo apt install python{version}-venv), und versuchen Sie es dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>The engine needs Python 3.11 or newer; found: {versions}.</source>
            <translation>Die Engine braucht Python 3.11 oder neuer; gefunden: {versions}.</translation>
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>none</source>
            <translation>keines</translation>
        </message>
        <message>
            <location filename="../engine/requests.py" />
            <source>QGIS's authentication configuration {name} cannot be used. Unlock QGIS's authentication database with its master password, or choose another configuration in the settings.</source>
            <translation>Die Authentifizierungskonfiguration {name} von QGIS ist nicht verwendbar. Entsperren Sie die Authentifizierungsdatenbank von QGIS mit dem Hauptpasswort, oder wählen Sie in den Einstellungen eine andere Konfiguration.</translation>
        </message>
        <message>
            <location filename="../engine/requests.py" />
            <source>QGIS's authentication database is locked. Press Try again and enter the master password.</source>
            <translation>Die Authentifizierungsdatenbank von QGIS ist gesperrt. Drücken Sie „Erneut versuchen“ und geben Sie das Master-Passwort ein.</translation>
        </message>
        <message>
            <location filename="../engine/watch.py" />
            <source>The connection to the engine is lost ({why}) The question is not: the engine keeps it, and goes on with it when it runs. Follow it again later.</source>
            <translation>Die Verbindung zur Engine ist verloren ({why}) Die Frage ist es nicht: Die Engine behält sie und arbeitet weiter daran, sobald sie läuft. Verfolgen Sie sie später weiter.</translation>
        </message>
        <message>
            <location filename="../engine/watch.py" />
            <source>The engine ended the connection before the answer was complete.</source>
            <translation>Die Engine hat die Verbindung beendet, bevor die Antwort vollständig war.</translation>
        </message>
        <message>
            <location filename="../engine/watch.py" />
            <source>What the engine tells about the question cannot be read: {why}.</source>
            <translation>Was die Engine über die Frage meldet, ist nicht lesbar: {why}.</translation>
        </message>
        <message>
            <location filename="../engine/watch.py" />
            <source>{why} Trying again ({n} of {all}).</source>
            <translation>{why} Neuer Versuch ({n} von {all}).</translation>
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <location filename="../processing/asking.py" />
            <location filename="../processing/audit_evidence.py" />
            <source>Answer</source>
            <translation>Antwort</translation>
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>Asking...</source>
            <translation>Frage läuft...</translation>
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>Cancelled</source>
            <translation>Abgebrochen</translation>
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>No answer</source>
            <translation>Keine Antwort</translation>
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>Tiles answered</source>
            <translation>Beantwortete Kacheln</translation>
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>What weakens the answer</source>
            <translation>Was die Antwort schwächt</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>A page with the map's picture and all evidence</source>
            <translation>Eine Seite mit dem Kartenbild und allen Belegen</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Accept, reject, move or add boxes on the map</source>
            <translation>Rahmen auf der Karte annehmen, ablehnen, verschieben oder ergänzen</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>All checks</source>
            <translation>Alle Kontrollen</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Ask a further question about this answer</source>
            <translation>Eine weitere Frage zu dieser Antwort stellen</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>COCO, for detectors...</source>
            <translation>COCO, für Detektoren...</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Earlier questions of this project</source>
            <translation>Frühere Fragen dieses Projekts</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Evidence ({n} of {total})</source>
            <translation>Belege ({n} von {total})</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Evidence ({n} so far)</source>
            <translation>Belege (bisher {n})</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Evidence ({n})</source>
            <translation>Belege ({n})</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Export</source>
            <translation>Export</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Export corrections: training samples made of what you reviewed</source>
            <translation>Korrekturen exportieren: Trainingsbeispiele aus dem, was Sie geprüft haben</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <location filename="../gui/history_menu.py" />
            <source>Filter</source>
            <translation>Filtern</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Filter the evidence</source>
            <translation>Belege filtern</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Follow up</source>
            <translation>Nachfragen</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Geo-CoT messages, for reasoning models...</source>
            <translation>Geo-CoT-Nachrichten, für schlussfolgernde Modelle...</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>History</source>
            <translation>Verlauf</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>No answer yet. Ask about what the map shows: each claim of the answer becomes a box on the map.</source>
            <translation>Noch keine Antwort. Fragen Sie nach dem, was die Karte zeigt: Jede Behauptung der Antwort wird ein Rahmen auf der Karte.</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <location filename="../report/report.py" />
            <source>Notes</source>
            <translation>Hinweise</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>PDF...</source>
            <translation>PDF...</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <location filename="../report/report.py" />
            <source>Plan</source>
            <translation>Plan</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Report</source>
            <translation>Bericht</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <location filename="../gui/evidence_model.py" />
            <location filename="../gui/evidence_view.py" />
            <location filename="../report/report.py" />
            <source>Review</source>
            <translation>Prüfung</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Save</source>
            <translation>Sichern</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Save a copy of the GeoPackage</source>
            <translation>Eine Kopie des GeoPackage speichern</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Synthesis</source>
            <translation>Synthese</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Web page (HTML)...</source>
            <translation>Webseite (HTML)...</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Words of a sentence, a label, a number or a verdict</source>
            <translation>Wörter eines Satzes, eine Klasse, eine Nummer oder ein Urteil</translation>
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>YOLO, for detectors...</source>
            <translation>YOLO, für Detektoren...</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source> m per pixel</source>
            <translation> m je Pixel</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Bands</source>
            <translation>Kanäle</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Bands of your choice, in this order</source>
            <translation>Kanäle Ihrer Wahl, in dieser Reihenfolge</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <location filename="../gui/task_words.py" />
            <source>Compare two dates</source>
            <translation>Zwei Zeitpunkte vergleichen</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Give the bands by number, such as 4, 3, 2; the layer has {n}.</source>
            <translation>Geben Sie die Kanäle als Nummern an, zum Beispiel 4, 3, 2; der Layer hat {n}.</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Ground size of a pixel that is sent. Automatic: the map's, or the layer's own.</source>
            <translation>Größe eines gesendeten Pixels am Boden. Automatisch: die der Karte oder die eigene des Layers.</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Look at every box again</source>
            <translation>Jeden Rahmen noch einmal ansehen</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Numbers of the bands</source>
            <translation>Nummern der Kanäle</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>One answer for each polygon</source>
            <translation>Eine Antwort je Polygon</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Red, green and blue of the layer's style, as they are stored</source>
            <translation>Rot, Grün und Blau des Layerstils, so wie sie gespeichert sind</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Resolution</source>
            <translation>Auflösung</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Shows the model every box once more, close up, and marks it supported or contradicted. Takes longer.</source>
            <translation>Zeigt dem Modell jeden Rahmen noch einmal aus der Nähe und vermerkt ihn als gestützt oder widerlegt. Dauert länger.</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>The colours that the layer's style gives them</source>
            <translation>In den Farben des Layerstils</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>The layer has {n} bands; there is no band {wrong}.</source>
            <translation>Der Layer hat {n} Kanäle; einen Kanal {wrong} gibt es nicht.</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>as drawn</source>
            <translation>wie dargestellt</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>automatic</source>
            <translation>automatisch</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>bands {numbers}</source>
            <translation>Kanäle {numbers}</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>by number</source>
            <translation>nach Nummer</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>colours as drawn</source>
            <translation>Farben wie dargestellt</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>per polygon</source>
            <translation>je Polygon</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>second look</source>
            <translation>zweiter Blick</translation>
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>two dates</source>
            <translation>zwei Zeitpunkte</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Ask</source>
            <translation>&amp;Fragen</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Cancel</source>
            <translation>&amp;Abbrechen</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Pixels</source>
            <translation>&amp;Pixel</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Task</source>
            <translation>&amp;Aufgabe</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Where</source>
            <translation>&amp;Wo</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>C&amp;lasses</source>
            <translation>K&amp;lassen</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <location filename="../gui/engine_line.py" />
            <source>Connect...</source>
            <translation>Verbinden...</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <location filename="../gui/history_menu.py" />
            <source>Earlier questions</source>
            <translation>Frühere Fragen</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Nobody answers yet. Start an engine on this computer, or connect to one elsewhere.</source>
            <translation>Noch antwortet niemand. Starten Sie eine Engine auf diesem Rechner, oder verbinden Sie sich mit einer anderswo.</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Open the demo scene</source>
            <translation>Beispielszene öffnen</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Options</source>
            <translation>Optionen</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Sends the question and the pixels to the engine</source>
            <translation>Sendet die Frage und die Pixel an die Engine</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Start on this computer</source>
            <translation>Auf diesem Rechner starten</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Stops; what came so far is kept</source>
            <translation>Hält an; was schon da ist, bleibt erhalten</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <location filename="../processing/asking.py" />
            <source>Task</source>
            <translation>Aufgabe</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>The question has {n} characters; up to {most} are allowed. Shorten it.</source>
            <translation>Die Frage hat {n} Zeichen; erlaubt sind bis zu {most}. Kürzen Sie sie.</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>There is no imagery to ask about. Add a layer, or open the demo scene.</source>
            <translation>Es gibt keine Bilder, nach denen Sie fragen könnten. Fügen Sie einen Layer hinzu, oder öffnen Sie die Beispielszene.</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>There is no imagery yet. Add some, or open the demo scene.</source>
            <translation>Noch gibt es keine Bilder. Fügen Sie welche hinzu, oder öffnen Sie die Beispielszene.</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Type a question, for example: How many airplanes are there?</source>
            <translation>Geben Sie eine Frage ein, zum Beispiel: How many airplanes are there?</translation>
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Your own question is kept. Clear it to ask for these classes.</source>
            <translation>Ihre eigene Frage bleibt stehen. Löschen Sie sie, um nach diesen Klassen zu fragen.</translation>
        </message>
        <message>
            <location filename="../gui/class_edit.py" />
            <source>Classes</source>
            <translation>Klassen</translation>
        </message>
        <message>
            <location filename="../gui/class_edit.py" />
            <source>Classes separated by commas. They become part of the question.</source>
            <translation>Klassen, durch Kommas getrennt. Sie werden Teil der Frage.</translation>
        </message>
        <message>
            <location filename="../gui/class_edit.py" />
            <source>Classes separated by commas. They become part of the question. The model was trained for: {labels}.</source>
            <translation>Klassen, durch Kommas getrennt. Sie werden Teil der Frage. Das Modell wurde trainiert für: {labels}.</translation>
        </message>
        <message>
            <location filename="../gui/class_edit.py" />
            <source>any words, separated by commas</source>
            <translation>beliebige Wörter, durch Kommas getrennt</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>A large area</source>
            <translation>Ein großes Gebiet</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>A smaller area or a coarser resolution (under Options) is quicker.</source>
            <translation>Mit einem kleineren Gebiet oder einer gröberen Auflösung (unter Optionen) geht es schneller.</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Ask anyway</source>
            <translation>Trotzdem fragen</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Estimate</source>
            <translation>Schätzung</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>How large</source>
            <translation>Wie viel</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Install</source>
            <translation>Installieren</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Install the engine on this computer</source>
            <translation>Die Engine auf diesem Rechner installieren</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Nothing has been sent yet. You can withdraw this consent in the settings, under groundproof.</source>
            <translation>Noch wurde nichts gesendet. Sie können diese Einwilligung in den Optionen unter groundproof widerrufen.</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Python</source>
            <translation>Python</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>QGIS and its Python stay as they are. To remove the engine, delete that folder or use the settings.</source>
            <translation>QGIS und sein Python bleiben unverändert. Um die Engine zu entfernen, löschen Sie diesen Ordner, oder verwenden Sie die Einstellungen.</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Send imagery to another computer</source>
            <translation>Bilder an einen anderen Rechner senden</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Send, and do not ask again for this engine</source>
            <translation>Senden und für diese Engine nicht mehr nachfragen</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>The engine and what it needs are downloaded and installed into a folder of their own.</source>
            <translation>Die Engine und was sie braucht werden heruntergeladen und in einem eigenen Ordner installiert.</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>This question sends imagery to an engine that is not on this computer.</source>
            <translation>Diese Frage sendet Bilder an eine Engine, die nicht auf diesem Rechner läuft.</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>This question will take long.</source>
            <translation>Diese Frage wird lange dauern.</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>To whom</source>
            <translation>An wen</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <location filename="../report/report.py" />
            <source>What</source>
            <translation>Was</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Where to</source>
            <translation>Wohin</translation>
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>You can cancel at any time; what came so far is kept.</source>
            <translation>Sie können jederzeit abbrechen; was schon da ist, bleibt erhalten.</translation>
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <location filename="../report/report.py" />
            <source>Engine</source>
            <translation>Engine</translation>
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Help</source>
            <translation>Hilfe</translation>
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Settings: who answers, and how</source>
            <translation>Einstellungen: wer antwortet, und wie</translation>
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Start</source>
            <translation>Starten</translation>
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Start again</source>
            <translation>Neu starten</translation>
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Stop installing</source>
            <translation>Installation abbrechen</translation>
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Stop the engine on this computer</source>
            <translation>Engine auf diesem Rechner beenden</translation>
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Try again</source>
            <translation>Noch einmal versuchen</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <location filename="../gui/evidence_view.py" />
            <location filename="../processing/asking.py" />
            <location filename="../report/report.py" />
            <source>Evidence</source>
            <translation>Belege</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <location filename="../report/report.py" />
            <source>No.</source>
            <translation>Nr.</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>Review: {word}</source>
            <translation>Prüfung: {word}</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <location filename="../gui/evidence_view.py" />
            <source>Score</source>
            <translation>Wert</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <location filename="../report/report.py" />
            <source>Size</source>
            <translation>Größe</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <location filename="../report/report.py" />
            <source>Verdict</source>
            <translation>Urteil</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>What the model wrote. Places in it, such as top or left, are within its tile, not the map</source>
            <translation>Was das Modell schrieb. Ortsangaben darin, etwa oben oder links, gelten in seiner Kachel, nicht auf der Karte</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>no words</source>
            <translation>ohne Worte</translation>
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>score {n}</source>
            <translation>Wert {n}</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Accept</source>
            <translation>Annehmen</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Ask about it</source>
            <translation>Danach fragen</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Copy as text</source>
            <translation>Als Text kopieren</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Reject</source>
            <translation>Ablehnen</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Sort by {column}</source>
            <translation>Sortieren nach {column}</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Take the decision back</source>
            <translation>Entscheidung zurücknehmen</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Zoom to it</source>
            <translation>Dorthin zoomen</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <location filename="../gui/verdict_words.py" />
            <source>accepted</source>
            <translation>angenommen</translation>
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <location filename="../gui/verdict_words.py" />
            <source>contradicted</source>
            <translation>widerlegt</translation>
        </message>
        <message>
            <location filename="../gui/follow_up_chip.py" />
            <source>About the last answer</source>
            <translation>Zur letzten Antwort</translation>
        </message>
        <message>
            <location filename="../gui/follow_up_chip.py" />
            <source>About {boxes} of the last answer</source>
            <translation>Zu {boxes} der letzten Antwort</translation>
        </message>
        <message>
            <location filename="../gui/follow_up_chip.py" />
            <source>About {n} boxes of the last answer</source>
            <translation>Zu {n} Rahmen der letzten Antwort</translation>
        </message>
        <message>
            <location filename="../gui/follow_up_chip.py" />
            <source>Ask a new question instead</source>
            <translation>Stattdessen eine neue Frage stellen</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>&amp;Compare</source>
            <translation>&amp;Vergleichen</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>&amp;Go on</source>
            <translation>&amp;Fortsetzen</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>&amp;Open</source>
            <translation>&amp;Öffnen</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>&amp;Remove...</source>
            <translation>&amp;Entfernen...</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Ask &amp;again</source>
            <translation>&amp;Noch einmal fragen</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Fills in the question and its place, so that you can ask it again</source>
            <translation>Füllt die Frage und ihren Ort aus, damit Sie sie noch einmal stellen können</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Filter the questions</source>
            <translation>Fragen filtern</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Goes on with a question that was interrupted</source>
            <translation>Setzt eine unterbrochene Frage fort</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Nothing has been asked in this project yet.</source>
            <translation>In diesem Projekt wurde noch nichts gefragt.</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Question and answer</source>
            <translation>Frage und Antwort</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Removes the question and its result; asks you first</source>
            <translation>Entfernt die Frage und ihr Ergebnis; Sie werden vorher gefragt</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Select two: shows what appeared, disappeared and moved</source>
            <translation>Wählen Sie zwei aus: zeigt, was erschienen, verschwunden und gewandert ist</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>Status</source>
            <translation>Status</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>When, and who answered</source>
            <translation>Wann, und wer geantwortet hat</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>answered</source>
            <translation>beantwortet</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>being asked</source>
            <translation>läuft</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>cancelled</source>
            <translation>abgebrochen</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>damaged</source>
            <translation>beschädigt</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>failed</source>
            <translation>fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../gui/history_menu.py" />
            <source>interrupted</source>
            <translation>unterbrochen</translation>
        </message>
        <message>
            <location filename="../gui/messages.py" />
            <source>Close this message</source>
            <translation>Diese Meldung schließen</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source> tiles</source>
            <translation> Kacheln</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Address</source>
            <translation>&amp;Adresse</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Forget all consents</source>
            <translation>Alle Einwilligungen &amp;widerrufen</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Install or update...</source>
            <translation>&amp;Installieren oder aktualisieren...</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Keep results in</source>
            <translation>Ergebnisse aufbewahren i&amp;n</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Model</source>
            <translation>&amp;Modell</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Python</source>
            <translation>&amp;Python</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Test the connection</source>
            <translation>Verbindung &amp;testen</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>A Python 3.11 or newer; not QGIS's own</source>
            <translation>Ein Python 3.11 oder neuer; nicht das von QGIS</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>An engine &amp;elsewhere</source>
            <translation>Eine Engine &amp;anderswo</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>An engine elsewhere</source>
            <translation>Eine Engine anderswo</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Ask back from</source>
            <translation>Nachfragen ab</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Asking</source>
            <translation>Fragen</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Authentication</source>
            <translation>Authentifizierung</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>For an engine you installed yourself: the path of its program groundproof</source>
            <translation>Für eine selbst installierte Engine: der Pfad ihres Programms groundproof</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Give the engine's address first.</source>
            <translation>Geben Sie zuerst die Adresse der Engine an.</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Imagery goes to an engine elsewhere only after you agreed to it.</source>
            <translation>Bilder gehen erst nach Ihrer Einwilligung an eine Engine anderswo.</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Install &amp;from</source>
            <translation>Installieren &amp;von</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Installed</source>
            <translation>Installiert</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>No engine is installed yet.</source>
            <translation>Noch ist keine Engine installiert.</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>P&amp;rogram</source>
            <translation>P&amp;rogramm</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Privacy</source>
            <translation>Datenschutz</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Put the engine's token as password into a basic authentication, or as a header "Authorization: Bearer ..." into one of the type API header. QGIS keeps it encrypted.</source>
            <translation>Tragen Sie das Token der Engine als Passwort in eine Basisauthentifizierung ein, oder als Kopfzeile „Authorization: Bearer ...“ in eine vom Typ API-Header. QGIS bewahrt es verschlüsselt auf.</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Remove...</source>
            <translation>Entfernen...</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>The engine's program</source>
            <translation>Das Programm der Engine</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>The engine's wheel: a file, or an address that begins with https://. Nothing is taken by name</source>
            <translation>Das Wheel der Engine: eine Datei oder eine Adresse, die mit https:// beginnt. Nichts wird über einen Namen bezogen</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>This &amp;computer</source>
            <translation>Dieser &amp;Rechner</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>This computer</source>
            <translation>Dieser Rechner</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>What groundproof serve --model takes: a name, a folder, or a server's address</source>
            <translation>Was groundproof serve --model annimmt: ein Name, ein Ordner oder die Adresse eines Servers</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Who answers</source>
            <translation>Wer antwortet</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>You agreed to: {engines}.</source>
            <translation>Sie haben eingewilligt für: {engines}.</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>a folder beside the project</source>
            <translation>Ordner neben dem Projekt</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>a wheel file made by scripts/package_engine, or an address</source>
            <translation>eine mit scripts/package_engine erstellte Wheel-Datei oder eine Adresse</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>found automatically</source>
            <translation>wird automatisch gefunden</translation>
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>the engine that the plugin installed</source>
            <translation>die von der Erweiterung installierte Engine</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>After</source>
            <translation>Nachher</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Before</source>
            <translation>Vorher</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Before and after are the same. Choose two layers or map themes of different dates.</source>
            <translation>Vorher und nachher sind dasselbe. Wählen Sie zwei Layer oder Kartenthemen verschiedener Zeitpunkte.</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Map theme {name}</source>
            <translation>Kartenthema {name}</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Pixels</source>
            <translation>Pixel</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Pixels of the earlier date</source>
            <translation>Pixel des früheren Zeitpunkts</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Pixels of the later date</source>
            <translation>Pixel des späteren Zeitpunkts</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>The map as it is drawn, without labels and without result layers</source>
            <translation>Die Karte, wie sie dargestellt ist, ohne Beschriftungen und ohne Ergebnislayer</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>The map as this theme draws it</source>
            <translation>Die Karte, wie dieses Thema sie darstellt</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>What you see</source>
            <translation>Was Sie sehen</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>{layer} (native {resolution})</source>
            <translation>{layer} (eigene {resolution})</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>{layer}: its own pixels of {resolution}, not as they are drawn</source>
            <translation>{layer}: eigene Pixel von {resolution}, nicht wie dargestellt</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>{layer}: pixels of the service, at the resolution of the map</source>
            <translation>{layer}: Pixel des Dienstes, in der Auflösung der Karte</translation>
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>{n} m</source>
            <translation>{n} m</translation>
        </message>
        <message>
            <location filename="../gui/question_edit.py" />
            <source>Enter asks, Shift+Enter starts a new line, Up and Down bring earlier questions back.</source>
            <translation>Eingabe fragt, Umschalt+Eingabe beginnt eine neue Zeile, Auf und Ab holen frühere Fragen zurück.</translation>
        </message>
        <message>
            <location filename="../gui/question_edit.py" />
            <source>How many airplanes are parked here?</source>
            <translation>How many airplanes are parked here?</translation>
        </message>
        <message>
            <location filename="../gui/question_edit.py" />
            <location filename="../processing/ask_imagery.py" />
            <source>Question</source>
            <translation>Frage</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>A box around every object of the classes named.</source>
            <translation>Ein Rahmen um jedes Objekt der genannten Klassen.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>A number, and a box around every object that was counted.</source>
            <translation>Eine Zahl, und ein Rahmen um jedes gezählte Objekt.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Answer a question</source>
            <translation>Eine Frage beantworten</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>As the question says</source>
            <translation>Wie die Frage sagt</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Boxes around what is described, such as: the white tank beside the pier.</source>
            <translation>Rahmen um das Beschriebene, zum Beispiel: the white tank beside the pier.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Count objects</source>
            <translation>Objekte zählen</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Describe a part</source>
            <translation>Einen Teil beschreiben</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Describe it, with boxes</source>
            <translation>Mit Rahmen beschreiben</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Describe the picture</source>
            <translation>Das Bild beschreiben</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Find all objects of a class</source>
            <translation>Alle Objekte einer Klasse finden</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Find what a phrase describes</source>
            <translation>Beschriebenes finden</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Name the kind of area</source>
            <translation>Die Art der Fläche benennen</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>One or several classes, with the share of the area of each.</source>
            <translation>Eine oder mehrere Klassen, jede mit ihrem Flächenanteil.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Some sentences about the box that was asked about.</source>
            <translation>Einige Sätze über den Rahmen, nach dem gefragt wurde.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Some sentences about the whole area.</source>
            <translation>Einige Sätze über das ganze Gebiet.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Some sentences, each object they name in a box.</source>
            <translation>Einige Sätze, jedes genannte Objekt mit Rahmen.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>The engine infers the task from the words of the question.</source>
            <translation>Die Engine erkennt die Aufgabe an den Worten der Frage.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>What appeared, disappeared or changed between two images.</source>
            <translation>Was zwischen zwei Bildern erschienen ist, verschwunden ist oder sich verändert hat.</translation>
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Words, with boxes as evidence where there are any.</source>
            <translation>Worte, mit Rahmen als Belegen, wo es welche gibt.</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>A second look does not see it; it is not counted.</source>
            <translation>Ein zweiter Blick sieht es nicht; es wird nicht gezählt.</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>A second look, an independent model or a person sees it too.</source>
            <translation>Ein zweiter Blick, ein unabhängiges Modell oder ein Mensch sieht es auch.</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>It stands in the answer without a sentence that points at it.</source>
            <translation>Es steht in der Antwort, ohne dass ein Satz darauf zeigt.</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>One tile's own box; it gets its number when all tiles have answered.</source>
            <translation>Der Rahmen einer einzelnen Kachel; seine Nummer bekommt er, wenn alle Kacheln geantwortet haben.</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>The box lies outside of what was shown; it is not counted.</source>
            <translation>Der Rahmen liegt außerhalb des Gezeigten; er wird nicht gezählt.</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>The model says so; nobody has looked again yet.</source>
            <translation>Das Modell sagt es; noch hat niemand ein zweites Mal hingesehen.</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>The same object is listed twice; it is not counted.</source>
            <translation>Dasselbe Objekt ist zweimal aufgeführt; es wird nicht gezählt.</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>added</source>
            <translation>ergänzt</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>adjusted</source>
            <translation>angepasst</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>duplicate</source>
            <translation>doppelt</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>not final yet</source>
            <translation>noch vorläufig</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>out of frame</source>
            <translation>außerhalb</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>rejected</source>
            <translation>abgelehnt</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>supported</source>
            <translation>gestützt</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>unchecked</source>
            <translation>ungeprüft</translation>
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>unsupported</source>
            <translation>unbelegt</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>A rectangle that you draw on the map</source>
            <translation>Ein Rechteck, das Sie auf der Karte zeichnen</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Draw another</source>
            <translation>Neu zeichnen</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Draw on the map</source>
            <translation>Auf der Karte zeichnen</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Layer</source>
            <translation>Layer</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Layer of the selected polygons</source>
            <translation>Layer der ausgewählten Polygone</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Layer whose extent is asked about</source>
            <translation>Layer, nach dessen Ausdehnung gefragt wird</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Map</source>
            <translation>Karte</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>No polygon of {layer} is selected. Select those to ask about.</source>
            <translation>In {layer} ist kein Polygon ausgewählt. Wählen Sie die aus, nach denen Sie fragen.</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Rectangle</source>
            <translation>Rechteck</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Selection</source>
            <translation>Auswahl</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>The selected polygons of a layer</source>
            <translation>Die ausgewählten Polygone eines Layers</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>The whole extent of a raster layer</source>
            <translation>Die ganze Ausdehnung eines Rasterlayers</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>There is no polygon layer. Add one, or ask about the visible map.</source>
            <translation>Es gibt keinen Polygonlayer. Fügen Sie einen hinzu, oder fragen Sie nach der sichtbaren Karte.</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>There is no raster layer. Add one, or ask about the visible map.</source>
            <translation>Es gibt keinen Rasterlayer. Fügen Sie einen hinzu, oder fragen Sie nach der sichtbaren Karte.</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>What the map canvas shows when you ask</source>
            <translation>Was das Kartenfenster zeigt, wenn Sie fragen</translation>
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>{layer} ({n} selected)</source>
            <translation>{layer} ({n} ausgewählt)</translation>
        </message>
        <message>
            <location filename="../history/folders.py" />
            <source>The project is not saved yet; results are kept in {folder}.</source>
            <translation>Das Projekt ist noch nicht gespeichert; Ergebnisse liegen in {folder}.</translation>
        </message>
        <message>
            <location filename="../history/folders.py" />
            <source>{folder} cannot be written ({reason}); results are kept in {other}.</source>
            <translation>In {folder} kann nicht geschrieben werden ({reason}); Ergebnisse liegen in {other}.</translation>
        </message>
        <message>
            <location filename="../history/store.py" />
            <source>QGIS was closed before the answer was complete.</source>
            <translation>QGIS wurde geschlossen, bevor die Antwort vollständig war.</translation>
        </message>
        <message>
            <location filename="../history/store.py" />
            <source>What was asked cannot be read any more; the result, where there is one, can be opened.</source>
            <translation>Was gefragt wurde, ist nicht mehr lesbar; das Ergebnis kann geöffnet werden, wo es eines gibt.</translation>
        </message>
        <message>
            <location filename="../history/store.py" />
            <source>{path} is open. Take its layers out of the project first.</source>
            <translation>{path} ist geöffnet. Nehmen Sie zuerst die Layer daraus aus dem Projekt.</translation>
        </message>
        <message>
            <location filename="../imagery/carry.py" />
            <source>The place crosses the edge of {crs} (the 180 degree meridian or a pole). Ask about each side of it on its own.</source>
            <translation>Der Ort liegt über dem Rand von {crs} (dem 180. Längengrad oder einem Pol). Fragen Sie nach jeder Seite einzeln.</translation>
        </message>
        <message>
            <location filename="../imagery/fetching.py" />
            <source>Imagery from {host} cannot be fetched: {reason}. Check the connection and the layer, then ask again.</source>
            <translation>Bilder von {host} können nicht geholt werden: {reason}. Prüfen Sie die Verbindung und den Layer, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/fetching.py" />
            <source>QGIS was busy for {n:.0f} s, so it is not known whether all imagery came. Wait until QGIS responds, then ask again.</source>
            <translation>QGIS war {n:.0f} s lang beschäftigt, deshalb ist nicht bekannt, ob alle Bilder gekommen sind. Warten Sie, bis QGIS wieder reagiert, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/fetching.py" />
            <source>it did not answer in time</source>
            <translation>der Dienst hat nicht rechtzeitig geantwortet</translation>
        </message>
        <message>
            <location filename="../imagery/file_source.py" />
            <source>{name} cannot be read: {reason}. Check the file and its drive, then ask again.</source>
            <translation>{name} ist nicht lesbar: {reason}. Prüfen Sie die Datei und ihr Laufwerk, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/ground.py" />
            <source>The place lies outside what {crs} can describe. Choose a smaller place, or one inside its area of use.</source>
            <translation>Der Ort liegt außerhalb dessen, was {crs} beschreiben kann. Wählen Sie einen kleineren Ort oder einen innerhalb seines Anwendungsgebiets.</translation>
        </message>
        <message>
            <location filename="../imagery/ground.py" />
            <source>this coordinate reference system</source>
            <translation>dieses Koordinatenbezugssystem</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>"{layer}" has no coordinate reference system: boxes come in pixels, without sizes.</source>
            <translation>„{layer}“ hat kein Koordinatenbezugssystem: Rahmen kommen in Pixeln, ohne Größen.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>"{layer}" is sent in the colours of its style: its values are no plain 8 or 16 bit colours.</source>
            <translation>„{layer}“ wird in den Farben seines Stils gesendet: Die Werte sind keine einfachen Farben mit 8 oder 16 Bit.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>Bands {bands} of "{layer}" are not all 8 bit or all 16 bit unsigned numbers. Choose others, or ask with the colours of its style.</source>
            <translation>Die Kanäle {bands} von „{layer}“ sind nicht einheitlich vorzeichenlose Zahlen mit 8 oder 16 Bit. Wählen Sie andere, oder fragen Sie mit den Farben des Stils.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>Bands {bands} were chosen; "{layer}" has {n}, and up to {most} can be sent. Choose among those.</source>
            <translation>Gewählt wurden die Kanäle {bands}; „{layer}“ hat {n}, und bis zu {most} können gesendet werden. Wählen Sie unter diesen.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The layer "{layer}" has no coordinate reference system, so metres per px mean nothing in it. Ask at its native resolution, or set a coordinate reference system in its properties.</source>
            <translation>Der Layer „{layer}“ hat kein Koordinatenbezugssystem, deshalb bedeuten Meter je px in ihm nichts. Fragen Sie in seiner eigenen Auflösung, oder geben Sie in seinen Eigenschaften ein Koordinatenbezugssystem an.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The layer "{layer}" has no coordinate reference system. Set one in its properties, or ask about the whole layer to get boxes in pixels.</source>
            <translation>Der Layer „{layer}“ hat kein Koordinatenbezugssystem. Geben Sie in seinen Eigenschaften eines an, oder fragen Sie nach dem ganzen Layer, um Rahmen in Pixeln zu bekommen.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The layer "{layer}" is not a file whose bands can be chosen. Ask with the colours of its style.</source>
            <translation>Der Layer „{layer}“ ist keine Datei, deren Kanäle wählbar sind. Fragen Sie mit den Farben seines Stils.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The place has no coordinate reference system. Set one in the project's properties.</source>
            <translation>Der Ort hat kein Koordinatenbezugssystem. Geben Sie eines in den Projekteigenschaften an.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The place lies outside the layer "{layer}". Zoom to the layer, or choose another place.</source>
            <translation>Der Ort liegt außerhalb des Layers „{layer}“. Zoomen Sie auf den Layer, oder wählen Sie einen anderen Ort.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The raster layer is not in the project any more. Choose another one, then ask again.</source>
            <translation>Der Rasterlayer ist nicht mehr im Projekt. Wählen Sie einen anderen, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The source of the layer "{layer}" is gone. Repair the layer or choose another one, then ask again.</source>
            <translation>Die Quelle des Layers „{layer}“ ist verschwunden. Reparieren Sie den Layer, oder wählen Sie einen anderen, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>its own pixels</source>
            <translation>eigene Pixel</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <location filename="../imagery/seen.py" />
            <source>{gsd:.3g} m per px, as chosen</source>
            <translation>{gsd:.3g} m je px, wie gewählt</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <location filename="../imagery/seen.py" />
            <source>{gsd:.3g} m per px, native to "{layer}"</source>
            <translation>{gsd:.3g} m je px, die eigenen von „{layer}“</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>{n} control points place "{layer}"; its pixels are sent laid out north up, as QGIS shows them.</source>
            <translation>{n} Passpunkte verorten „{layer}“; die Pixel werden genordet gesendet, wie QGIS sie zeigt.</translation>
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>{wanted:.3g} m per px was chosen; "{layer}" has {native:.3g} m per px, and that is sent.</source>
            <translation>Gewählt waren {wanted:.3g} m je px; „{layer}“ hat {native:.3g} m je px, und so wird gesendet.</translation>
        </message>
        <message>
            <location filename="../imagery/picture.py" />
            <source>The picture of the map cannot be encoded as PNG. Ask about a smaller place, and report it.</source>
            <translation>Das Bild der Karte lässt sich nicht als PNG speichern. Fragen Sie nach einem kleineren Ort, und melden Sie es.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>No polygon is selected in "{layer}". Select one or more, then ask again.</source>
            <translation>In „{layer}“ ist kein Polygon ausgewählt. Wählen Sie eines oder mehrere aus, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The layer "{layer}" does not say how far it reaches. Draw a rectangle instead.</source>
            <translation>Der Layer „{layer}“ gibt nicht an, wie weit er reicht. Zeichnen Sie stattdessen ein Rechteck.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The layer "{layer}" has no coordinate reference system. Set one in the layer's properties.</source>
            <translation>Der Layer „{layer}“ hat kein Koordinatenbezugssystem. Geben Sie eines in den Layereigenschaften an.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The layer "{layer}" holds no polygons. Choose a polygon layer.</source>
            <translation>Der Layer „{layer}“ enthält keine Polygone. Wählen Sie einen Polygonlayer.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The map canvas is empty. Add imagery and zoom to it, then ask again.</source>
            <translation>Das Kartenfenster ist leer. Fügen Sie Bilder hinzu, und zoomen Sie darauf, dann fragen Sie noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The project has no coordinate reference system. Set one in the project's properties.</source>
            <translation>Das Projekt hat kein Koordinatenbezugssystem. Geben Sie eines in den Projekteigenschaften an.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The rectangle has no area. Draw a larger one.</source>
            <translation>Das Rechteck hat keine Fläche. Zeichnen Sie ein größeres.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The rectangle has no coordinate reference system. Set one in the project's properties.</source>
            <translation>Das Rechteck hat kein Koordinatenbezugssystem. Geben Sie eines in den Projekteigenschaften an.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>There is no layer with polygons. Add one and select polygons in it.</source>
            <translation>Es gibt keinen Layer mit Polygonen. Fügen Sie einen hinzu, und wählen Sie darin Polygone aus.</translation>
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>There is no raster layer. Add imagery, or open the demo scene.</source>
            <translation>Es gibt keinen Rasterlayer. Fügen Sie Bilder hinzu, oder öffnen Sie die Beispielszene.</translation>
        </message>
        <message>
            <location filename="../imagery/plan.py" />
            <source>The place has {width:,} x {height:,} px; up to {most:,} px, and {side:,} px along a side, are allowed. Choose a smaller place or a coarser resolution.</source>
            <translation>Der Ort hat {width:,} x {height:,} px; erlaubt sind bis zu {most:,} px und {side:,} px je Seite. Wählen Sie einen kleineren Ort oder eine gröbere Auflösung.</translation>
        </message>
        <message>
            <location filename="../imagery/raster_file.py" />
            <source>it is no raster that GDAL knows</source>
            <translation>es ist kein Raster, das GDAL kennt</translation>
        </message>
        <message>
            <location filename="../imagery/raster_file.py" />
            <source>{name} cannot be opened: {reason}. Check that it is still there, then ask again.</source>
            <translation>{name} kann nicht geöffnet werden: {reason}. Prüfen Sie, ob die Datei noch da ist, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/rendered.py" />
            <source>The layer "{layer}" cannot be drawn: {reason}. Repair it or switch it off, then ask again.</source>
            <translation>Der Layer „{layer}“ kann nicht dargestellt werden: {reason}. Reparieren Sie ihn, oder schalten Sie ihn aus, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/seen.py" />
            <source>No layer at the place says how fine it is. Choose a resolution.</source>
            <translation>Kein Layer an diesem Ort gibt an, wie fein er ist. Wählen Sie eine Auflösung.</translation>
        </message>
        <message>
            <location filename="../imagery/seen.py" />
            <source>No visible layer reaches the place. Zoom to your imagery, or switch a layer on.</source>
            <translation>Kein sichtbarer Layer reicht bis zu diesem Ort. Zoomen Sie auf Ihre Bilder, oder schalten Sie einen Layer ein.</translation>
        </message>
        <message>
            <location filename="../imagery/seen.py" />
            <source>map</source>
            <translation>Karte</translation>
        </message>
        <message>
            <location filename="../imagery/seen.py" />
            <source>{gsd:.3g} m per px, as on the canvas</source>
            <translation>{gsd:.3g} m je px, wie im Kartenfenster</translation>
        </message>
        <message>
            <location filename="../imagery/seen_layers.py" />
            <source>Nothing is visible on the map. Add imagery or switch a layer on, then ask again.</source>
            <translation>Auf der Karte ist nichts zu sehen. Fügen Sie Bilder hinzu, oder schalten Sie einen Layer ein, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/seen_layers.py" />
            <source>The layer "{layer}" cannot be copied: its source is gone. Repair it or switch it off, then ask again.</source>
            <translation>Der Layer „{layer}“ kann nicht kopiert werden: Seine Quelle ist verschwunden. Reparieren Sie ihn, oder schalten Sie ihn aus, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/seen_layers.py" />
            <source>The project has no map theme "{theme}". Choose another one.</source>
            <translation>Das Projekt hat kein Kartenthema „{theme}“. Wählen Sie ein anderes.</translation>
        </message>
        <message>
            <location filename="../imagery/service_grid.py" />
            <source>The layer "{layer}" has no resolution of its own. Choose one in metres per px.</source>
            <translation>Der Layer „{layer}“ hat keine eigene Auflösung. Wählen Sie eine in Metern je px.</translation>
        </message>
        <message>
            <location filename="../imagery/service_grid.py" />
            <source>{gsd:.3g} m per px, a level of "{layer}"</source>
            <translation>{gsd:.3g} m je px, eine Stufe von „{layer}“</translation>
        </message>
        <message>
            <location filename="../imagery/service_grid.py" />
            <source>{gsd:.3g} m per px, as asked of the service</source>
            <translation>{gsd:.3g} m je px, wie vom Dienst angefordert</translation>
        </message>
        <message>
            <location filename="../imagery/styled_source.py" />
            <source>The layer "{layer}" cannot be read: {reason}. Check its source, then ask again.</source>
            <translation>Der Layer „{layer}“ ist nicht lesbar: {reason}. Prüfen Sie seine Quelle, und fragen Sie dann noch einmal.</translation>
        </message>
        <message>
            <location filename="../imagery/styled_source.py" />
            <source>nothing came</source>
            <translation>es kam nichts</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>Boxes: {changes}</source>
            <translation>Rahmen: {changes}</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>The two runs have no question about the same place in common, so there is nothing to compare. Choose two runs of one question.</source>
            <translation>Die beiden Läufe haben keine gemeinsame Frage zum selben Ort, deshalb gibt es nichts zu vergleichen. Wählen Sie zwei Läufe einer Frage.</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>appeared</source>
            <translation>erschienen</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>changes</source>
            <translation>Änderungen</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>disappeared</source>
            <translation>verschwunden</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>drawn in review</source>
            <translation>bei der Prüfung gezeichnet</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>drawn or rejected in review</source>
            <translation>bei der Prüfung gezeichnet oder abgelehnt</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>moved</source>
            <translation>gewandert</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>moved by {far} m</source>
            <translation>um {far} m gewandert</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>other words</source>
            <translation>andere Worte</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>rejected in review</source>
            <translation>bei der Prüfung abgelehnt</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>the same</source>
            <translation>gleich</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>verdict changed</source>
            <translation>Urteil geändert</translation>
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>where only one looked</source>
            <translation>wo nur einer hingesehen hat</translation>
        </message>
        <message>
            <location filename="../layers/crs.py" />
            <source>The answer came in a coordinate reference system that this QGIS does not know: {name}. Ask in a layer or project with a common one.</source>
            <translation>Die Antwort kam in einem Koordinatenbezugssystem, das dieses QGIS nicht kennt: {name}. Fragen Sie in einem Layer oder Projekt mit einem gängigen.</translation>
        </message>
        <message>
            <location filename="../layers/hand_over.py" />
            <location filename="../layers/result.py" />
            <location filename="../layers/tables.py" />
            <source>The file {path} is not there.</source>
            <translation>Die Datei {path} ist nicht da.</translation>
        </message>
        <message>
            <location filename="../layers/hand_over.py" />
            <source>{path} could not be written: {reason}. Choose another place.</source>
            <translation>{path} konnte nicht geschrieben werden: {reason}. Wählen Sie einen anderen Ort.</translation>
        </message>
        <message>
            <location filename="../layers/hand_over.py" />
            <source>{path} is open in a program. Close it there, or choose another name.</source>
            <translation>{path} ist in einem Programm geöffnet. Schließen Sie die Datei dort, oder wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <location filename="../layers/hand_over.py" />
            <source>{path} is the file that is open. Choose another name.</source>
            <translation>{path} ist die geöffnete Datei. Wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <location filename="../layers/live.py" />
            <source>Some boxes are not on the map: this QGIS does not know the place that the engine gives for them.</source>
            <translation>Einige Rahmen sind nicht auf der Karte: Dieses QGIS kennt den Ort nicht, den die Engine dafür angibt.</translation>
        </message>
        <message>
            <location filename="../layers/live.py" />
            <source>boxes so far</source>
            <translation>Rahmen bisher</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>answer</source>
            <translation>Antwort</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>area asked about</source>
            <translation>Gebiet der Frage</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>area, m²</source>
            <translation>Fläche, m²</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>audit</source>
            <translation>Kontrolle</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>boxes</source>
            <translation>Rahmen</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>coverage</source>
            <translation>Abdeckung</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>evidence</source>
            <translation>Belege</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>height, m</source>
            <translation>Höhe, m</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>image</source>
            <translation>Bild</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>images</source>
            <translation>Bilder</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>metres per pixel</source>
            <translation>Meter je Pixel</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>number</source>
            <translation>Nummer</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>plan</source>
            <translation>Plan</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>question</source>
            <translation>Frage</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>review</source>
            <translation>Prüfung</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>reviewed at</source>
            <translation>geprüft am</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>score</source>
            <translation>Wert</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>seconds</source>
            <translation>Sekunden</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>sentence</source>
            <translation>Satz</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>status</source>
            <translation>Status</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>synthesis</source>
            <translation>Synthese</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>task</source>
            <translation>Aufgabe</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>the model's text</source>
            <translation>Text des Modells</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>tiles looked at</source>
            <translation>angesehene Kacheln</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>verdict</source>
            <translation>Urteil</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>what it is</source>
            <translation>was es ist</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>width, m</source>
            <translation>Breite, m</translation>
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>{path} is not a result of groundproof: its table {name} cannot be read.</source>
            <translation>{path} ist kein Ergebnis von groundproof: Die Tabelle {name} ist nicht lesbar.</translation>
        </message>
        <message>
            <location filename="../layers/tables.py" />
            <location filename="../processing/many_result.py" />
            <source>{path} is not a GeoPackage that can be read. Choose a result of groundproof.</source>
            <translation>{path} ist kein lesbares GeoPackage. Wählen Sie ein Ergebnis von groundproof.</translation>
        </message>
        <message>
            <location filename="../layers/tables.py" />
            <source>{path} is not a result of groundproof: it has no table {name}.</source>
            <translation>{path} ist kein Ergebnis von groundproof: Es hat keine Tabelle {name}.</translation>
        </message>
        <message>
            <location filename="../plugin.py" />
            <source>Ask the map</source>
            <translation>Die Karte fragen</translation>
        </message>
        <message>
            <location filename="../processing/algorithm.py" />
            <source>Address of the engine (empty: as in the settings)</source>
            <translation>Adresse der Engine (leer: wie in den Einstellungen)</translation>
        </message>
        <message>
            <location filename="../processing/algorithm.py" />
            <source>Authentication for that address</source>
            <translation>Authentifizierung für diese Adresse</translation>
        </message>
        <message>
            <location filename="../processing/algorithm.py" />
            <source>I agree that imagery is sent to an engine on another computer</source>
            <translation>Ich willige ein, dass Bilder an eine Engine auf einem anderen Rechner gesendet werden</translation>
        </message>
        <message>
            <location filename="../processing/algorithm.py" />
            <source>The algorithm was not prepared.</source>
            <translation>Der Algorithmus wurde nicht vorbereitet.</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>A map theme of a later date was given, but no earlier one. Give both.</source>
            <translation>Ein Kartenthema eines späteren Zeitpunkts ist angegeben, aber kein früheres. Geben Sie beide an.</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>A raster layer and a map theme were given. Give one of them, and leave the other empty.</source>
            <translation>Ein Rasterlayer und ein Kartenthema sind angegeben. Geben Sie eines davon an, und lassen Sie das andere leer.</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>An image of a later date was given, but no earlier one. Give both.</source>
            <translation>Ein Bild eines späteren Zeitpunkts ist angegeben, aber kein früheres. Geben Sie beide an.</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Ask imagery</source>
            <translation>Bilder befragen</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Bands (empty: those that the style shows)</source>
            <translation>Kanäle (leer: die, die der Stil zeigt)</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Extent (empty: the whole layer, or the polygons)</source>
            <translation>Ausdehnung (leer: der ganze Layer oder die Polygone)</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Imagery (empty: what the map shows)</source>
            <translation>Bilder (leer: was die Karte zeigt)</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Imagery of a later date, for a question about change</source>
            <translation>Bilder eines späteren Zeitpunkts, für eine Frage nach Veränderungen</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Map theme instead of the visible layers</source>
            <translation>Kartenthema statt der sichtbaren Layer</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Map theme of a later date</source>
            <translation>Kartenthema eines späteren Zeitpunkts</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Nothing says where to ask. Give a raster layer, an extent or polygons.</source>
            <translation>Es ist nicht angegeben, wo gefragt wird. Geben Sie einen Rasterlayer, eine Ausdehnung oder Polygone an.</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Polygons and an extent were given. Give one of them, and leave the other empty.</source>
            <translation>Polygone und eine Ausdehnung sind angegeben. Geben Sie eines davon an, und lassen Sie das andere leer.</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>Sends imagery with a question to a groundproof engine. The answer comes back as a GeoPackage: evidence boxes tied to sentences, the tiles that were looked at, the answer with its audit and coverage.

Without a raster layer the picture is what the map shows in the extent: the visible layers, or those of a map theme, without labels and earlier results.

A question about change takes a second image, or theme, of a later date.

An engine on this computer is started for the run where none runs yet; it is installed from the dock.</source>
            <translation>Sendet Bilder mit einer Frage an eine Engine von groundproof. Die Antwort kommt als GeoPackage zurück: Rahmen als Belege für Sätze, die angesehenen Kacheln, die Antwort mit Kontrolle und Abdeckung.

Ohne Rasterlayer ist das Bild, was die Karte in der Ausdehnung zeigt: die sichtbaren Layer oder die eines Kartenthemas, ohne Beschriftungen und frühere Ergebnisse.

Eine Frage nach Veränderungen braucht ein zweites Bild oder Kartenthema eines späteren Zeitpunkts.

Läuft auf diesem Rechner noch keine Engine, wird für den Lauf eine gestartet; installiert wird sie im Bedienfeld.</translation>
        </message>
        <message>
            <location filename="../processing/ask_imagery.py" />
            <source>question,count,detect,find,vision,model,objects,evidence</source>
            <translation>Frage,zählen,erkennen,finden,Bild,Modell,Objekte,Belege</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>"{text}" is no list of bands. Give their numbers from 1, such as 4,3,2.</source>
            <translation>„{text}“ ist keine Liste von Kanälen. Geben Sie ihre Nummern ab 1 an, zum Beispiel 4,3,2.</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Ask many scenes</source>
            <translation>Viele Szenen befragen</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Asks a groundproof engine the same questions about many rasters, and keeps all answers in one GeoPackage: evidence boxes, answers, tiles, and a row for every scene.

Scenes are layers and files, or all files of a folder that fit a pattern (*.tif, or **/*.tif for its folders too; several patterns are split by semicolons). Each line is a question of its own.

With polygons every scene is asked about where they touch it; one that none touches is skipped. A scene that is damaged, is not there or has no coordinate reference system does not stop the others: the log and the table scenes say why it failed.

After cancelling, what was answered until then is kept. What was sent is removed from the engine.</source>
            <translation>Stellt einer Engine von groundproof dieselben Fragen zu vielen Rastern und legt alle Antworten in einem GeoPackage ab: Rahmen als Belege, Antworten, Kacheln und eine Zeile für jede Szene.

Szenen sind Layer und Dateien, oder alle Dateien eines Ordners, die zu einem Muster passen (*.tif, oder **/*.tif auch für die Ordner darin; mehrere Muster werden mit Semikolon getrennt). Jede Zeile ist eine eigene Frage.

Mit Polygonen wird jede Szene dort befragt, wo sie von ihnen berührt wird; eine, die keines berührt, wird ausgelassen. Eine Szene, die beschädigt oder nicht da ist oder kein Koordinatenbezugssystem hat, hält die anderen nicht auf: Das Protokoll und die Tabelle scenes nennen den Grund.

Nach einem Abbruch bleibt, was bis dahin beantwortet wurde. Was gesendet wurde, wird aus der Engine entfernt.</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Bands, such as 4,3,2 (empty: those that the style shows)</source>
            <translation>Kanäle, zum Beispiel 4,3,2 (leer: die, die der Stil zeigt)</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Folder with further scenes</source>
            <translation>Ordner mit weiteren Szenen</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Names of the files in the folder</source>
            <translation>Namen der Dateien im Ordner</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Questions, one per line</source>
            <translation>Fragen, je Zeile eine</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Scenes asked about</source>
            <translation>Befragte Szenen</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Scenes given</source>
            <translation>Angegebene Szenen</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Scenes skipped</source>
            <translation>Ausgelassene Szenen</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Scenes that failed</source>
            <translation>Fehlgeschlagene Szenen</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Scenes, and why some failed</source>
            <translation>Szenen, und warum einige fehlgeschlagen sind</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Scenes: layers or files</source>
            <translation>Szenen: Layer oder Dateien</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>Stop when more than so many % of the scenes have failed</source>
            <translation>Aufhören, wenn mehr als so viele % der Szenen fehlgeschlagen sind</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>What became of the scenes</source>
            <translation>Was aus den Szenen geworden ist</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>batch,folder,many,question,count,detect,find,vision,model,objects,evidence</source>
            <translation>Stapel,Ordner,viele,Frage,zählen,erkennen,finden,Bild,Modell,Objekte,Belege</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>{n} failed: {why}</source>
            <translation>{n} fehlgeschlagen: {why}</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>{n} of {scenes} scenes asked</source>
            <translation>{n} von {scenes} Szenen befragt</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>{n} skipped: {why}</source>
            <translation>{n} ausgelassen: {why}</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>{reason} {summary}</source>
            <translation>{reason} {summary}</translation>
        </message>
        <message>
            <location filename="../processing/ask_many_scenes.py" />
            <source>{summary} What was answered is kept in {path}.</source>
            <translation>{summary} Was beantwortet wurde, liegt in {path}.</translation>
        </message>
        <message>
            <location filename="../processing/asking.py" />
            <location filename="../processing/audit_evidence.py" />
            <source>Boxes that count</source>
            <translation>Rahmen, die zählen</translation>
        </message>
        <message>
            <location filename="../processing/asking.py" />
            <location filename="../processing/audit_evidence.py" />
            <source>Coverage</source>
            <translation>Abdeckung</translation>
        </message>
        <message>
            <location filename="../processing/asking.py" />
            <source>Field that names the polygons (one answer for each)</source>
            <translation>Feld, das die Polygone benennt (je eine Antwort)</translation>
        </message>
        <message>
            <location filename="../processing/asking.py" />
            <location filename="../processing/audit_evidence.py" />
            <source>GeoPackage of the whole result</source>
            <translation>GeoPackage mit dem ganzen Ergebnis</translation>
        </message>
        <message>
            <location filename="../processing/asking.py" />
            <source>Look at every box a second time</source>
            <translation>Jeden Rahmen ein zweites Mal ansehen</translation>
        </message>
        <message>
            <location filename="../processing/asking.py" />
            <source>Polygons to ask about</source>
            <translation>Polygone, nach denen gefragt wird</translation>
        </message>
        <message>
            <location filename="../processing/asking.py" />
            <source>Resolution, metres per pixel (empty: native)</source>
            <translation>Auflösung, Meter je Pixel (leer: die eigene)</translation>
        </message>
        <message>
            <location filename="../processing/asking.py" />
            <source>Send the colours of the layer's style</source>
            <translation>Die Farben des Layerstils senden</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>Audit</source>
            <translation>Kontrolle</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>Audit evidence</source>
            <translation>Belege kontrollieren</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>Checks every claim of a result against its evidence, as it stands after a review: boxes that were accepted, rejected, moved or added in QGIS. Count, answer and audit are made anew by the engine.

The GeoPackage that is given stays as it is; the updated one is written as a copy.</source>
            <translation>Kontrolliert jede Behauptung eines Ergebnisses anhand der Belege, so wie sie nach einer Prüfung stehen: mit in QGIS angenommenen, abgelehnten, verschobenen oder ergänzten Rahmen. Die Engine macht Zählung, Antwort und Kontrolle neu.

Das angegebene GeoPackage bleibt, wie es ist; das neue wird als Kopie geschrieben.</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>Evidence after the audit</source>
            <translation>Belege nach der Kontrolle</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>Findings</source>
            <translation>Befunde</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>Findings that weaken the answer</source>
            <translation>Befunde, die die Antwort schwächen</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>GeoPackage of a result</source>
            <translation>GeoPackage eines Ergebnisses</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <location filename="../processing/compare_runs.py" />
            <source>GeoPackages (*.gpkg)</source>
            <translation>GeoPackages (*.gpkg)</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>HTML files (*.html)</source>
            <translation>HTML-Dateien (*.html)</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>Nothing was found.</source>
            <translation>Nichts gefunden.</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>Report of the audit</source>
            <translation>Bericht der Kontrolle</translation>
        </message>
        <message>
            <location filename="../processing/audit_evidence.py" />
            <source>check,review,count,claims,verdict,evidence</source>
            <translation>kontrollieren,prüfen,zählen,Behauptungen,Urteil,Belege</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>Boxes that appeared</source>
            <translation>Erschienene Rahmen</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>Boxes that disappeared</source>
            <translation>Verschwundene Rahmen</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>Boxes that moved</source>
            <translation>Gewanderte Rahmen</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>Changes</source>
            <translation>Änderungen</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>Changes in words</source>
            <translation>Änderungen in Worten</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>Compare two runs</source>
            <translation>Zwei Läufe vergleichen</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>Compares the evidence of two results: which boxes appeared, disappeared, moved, have another verdict, or stayed. The two may be of one place at two times, of two models, or before and after a review.</source>
            <translation>Vergleicht die Belege zweier Ergebnisse: welche Rahmen erschienen, verschwunden oder gewandert sind, ein anderes Urteil haben oder gleich blieben. Die beiden können von einem Ort zu zwei Zeitpunkten stammen, von zwei Modellen, oder von vor und nach einer Prüfung.</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>GeoPackage of the earlier run</source>
            <translation>GeoPackage des früheren Laufs</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>GeoPackage of the later run</source>
            <translation>GeoPackage des späteren Laufs</translation>
        </message>
        <message>
            <location filename="../processing/compare_runs.py" />
            <source>difference,change,diff,appeared,disappeared,moved,evidence</source>
            <translation>Unterschied,Veränderung,Vergleich,erschienen,verschwunden,gewandert,Belege</translation>
        </message>
        <message>
            <location filename="../processing/files.py" />
            <source>Nothing can be written to the folder {path}: {reason}. Choose another place.</source>
            <translation>In den Ordner {path} kann nichts geschrieben werden: {reason}. Wählen Sie einen anderen Ort.</translation>
        </message>
        <message>
            <location filename="../processing/files.py" />
            <source>{path} cannot hold the result: it is a GeoPackage. Choose a file that ends with .gpkg.</source>
            <translation>{path} kann das Ergebnis nicht aufnehmen: Es ist ein GeoPackage. Wählen Sie eine Datei, die mit .gpkg endet.</translation>
        </message>
        <message>
            <location filename="../processing/files.py" />
            <source>{path} is open in a program. Close it there, or choose another file.</source>
            <translation>{path} ist in einem Programm geöffnet. Schließen Sie die Datei dort, oder wählen Sie eine andere.</translation>
        </message>
        <message>
            <location filename="../processing/many_asking.py" />
            <source>"{question}" asks for a change between dates, and here every scene has an answer of its own. Use "Ask imagery", which takes an image of a later date.</source>
            <translation>„{question}“ fragt nach einer Veränderung zwischen Zeitpunkten, und hier bekommt jede Szene ihre eigene Antwort. Nehmen Sie „Bilder befragen“: Dort lässt sich ein Bild eines späteren Zeitpunkts angeben.</translation>
        </message>
        <message>
            <location filename="../processing/many_asking.py" />
            <source>It was not asked about: {why}</source>
            <translation>Diese Szene wurde nicht befragt: {why}</translation>
        </message>
        <message>
            <location filename="../processing/many_asking.py" />
            <source>What was sent could not be removed from the engine: {why}</source>
            <translation>Was gesendet wurde, konnte nicht aus der Engine entfernt werden: {why}</translation>
        </message>
        <message>
            <location filename="../processing/many_asking.py" />
            <source>{n} of {scenes} scenes failed, more than the {share:g} % that may.</source>
            <translation>{n} von {scenes} Szenen sind fehlgeschlagen, mehr als die zugelassenen {share:g} %.</translation>
        </message>
        <message>
            <location filename="../processing/many_asking.py" />
            <source>{n} scenes could not be asked about together; they are asked in halves: {why}</source>
            <translation>{n} Szenen konnten nicht zusammen befragt werden; sie werden in Hälften befragt: {why}</translation>
        </message>
        <message>
            <location filename="../processing/many_places.py" />
            <source>"{layer}" lies outside the polygons.</source>
            <translation>„{layer}“ liegt außerhalb der Polygone.</translation>
        </message>
        <message>
            <location filename="../processing/many_result.py" />
            <source>GDAL's error {code}</source>
            <translation>Fehler {code} von GDAL</translation>
        </message>
        <message>
            <location filename="../processing/many_result.py" />
            <source>The result could not be written to {path}: {reason}. Make room there, or choose another place.</source>
            <translation>Das Ergebnis konnte nicht nach {path} geschrieben werden: {reason}. Schaffen Sie dort Platz, oder wählen Sie einen anderen Ort.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>"{layer}" has no coordinate reference system. Set one, or ask about it alone with "Ask imagery": it gives boxes in pixels then.</source>
            <translation>„{layer}“ hat kein Koordinatenbezugssystem. Legen Sie eines fest, oder nehmen Sie für diese Szene allein „Bilder befragen“: Dann kommen Rahmen in Pixeln.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>"{layer}" is no raster layer.</source>
            <translation>„{layer}“ ist kein Rasterlayer.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>No file in {folder} fits {pattern}.</source>
            <translation>Keine Datei in {folder} passt zu {pattern}.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>No scenes were given. Choose layers or files, or a folder and a pattern such as *.tif.</source>
            <translation>Es sind keine Szenen angegeben. Wählen Sie Layer oder Dateien, oder einen Ordner und ein Muster wie *.tif.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <location filename="../tasks/ask.py" />
            <source>The folder {path} does not exist.</source>
            <translation>Den Ordner {path} gibt es nicht.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>The pattern {pattern} cannot be used: {reason}. Give one such as *.tif or **/*.tif.</source>
            <translation>Das Muster {pattern} kann nicht verwendet werden: {reason}. Geben Sie eines wie *.tif oder **/*.tif an.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>{name} was given twice; it is asked about once.</source>
            <translation>{name} ist zweimal angegeben; die Szene wird einmal befragt.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>{path} is no raster that QGIS can read.</source>
            <translation>{path} ist kein Raster, das QGIS lesen kann.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>{path} is not there.</source>
            <translation>{path} ist nicht da.</translation>
        </message>
        <message>
            <location filename="../processing/many_scenes.py" />
            <source>{value} is neither a raster layer nor a file.</source>
            <translation>{value} ist weder ein Rasterlayer noch eine Datei.</translation>
        </message>
        <message>
            <location filename="../processing/many_telling.py" />
            <source>looked at {n} of {tiles} tiles ({skipped} without data, {failed} failed)</source>
            <translation>{n} von {tiles} Kacheln angesehen ({skipped} ohne Daten, {failed} fehlgeschlagen)</translation>
        </message>
        <message>
            <location filename="../processing/many_telling.py" />
            <source>{n} more answers are in the table answers.</source>
            <translation>{n} weitere Antworten stehen in der Tabelle answers.</translation>
        </message>
        <message>
            <location filename="../processing/many_telling.py" />
            <source>{n} of {scenes} scenes sent</source>
            <translation>{n} von {scenes} Szenen gesendet</translation>
        </message>
        <message>
            <location filename="../processing/many_telling.py" />
            <source>{progress}, about {time} left</source>
            <translation>{progress}, noch etwa {time}</translation>
        </message>
        <message>
            <location filename="../processing/many_telling.py" />
            <source>{scenes} scenes: {n} of {tiles} tiles</source>
            <translation>{scenes} Szenen: {n} von {tiles} Kacheln</translation>
        </message>
        <message>
            <location filename="../processing/many_telling.py" />
            <source>{scene} failed: {why}</source>
            <translation>{scene} ist fehlgeschlagen: {why}</translation>
        </message>
        <message>
            <location filename="../processing/session.py" />
            <location filename="../tasks/ask.py" />
            <location filename="../tasks/ask_task.py" />
            <source>Cancelled before anything was asked.</source>
            <translation>Abgebrochen, bevor etwas gefragt wurde.</translation>
        </message>
        <message>
            <location filename="../processing/session.py" />
            <source>Imagery would be sent to {url}, and nobody has agreed to that yet. Agree in the dock, or set this algorithm's parameter CONSENT.</source>
            <translation>Bilder würden an {url} gesendet, und noch hat niemand eingewilligt. Willigen Sie im Bedienfeld ein, oder setzen Sie den Parameter CONSENT dieses Algorithmus.</translation>
        </message>
        <message>
            <location filename="../processing/telling.py" />
            <source>The engine's job: {id}</source>
            <translation>Auftrag der Engine: {id}</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>An answer of groundproof</source>
            <translation>Eine Antwort von groundproof</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Answered by</source>
            <translation>Beantwortet von</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Asked</source>
            <translation>Gefragt</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Boxes are a model's claims unless the review says that a person looked. Sizes are geodesic, in metres. Made with groundproof.</source>
            <translation>Rahmen sind Behauptungen eines Modells, sofern die Prüfung nicht sagt, dass ein Mensch hingesehen hat. Größen sind geodätisch, in Metern. Erstellt mit groundproof.</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Centre</source>
            <translation>Mitte</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Coordinates</source>
            <translation>Koordinaten</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Image</source>
            <translation>Bild</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Model</source>
            <translation>Modell</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>No box.</source>
            <translation>Kein Rahmen.</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Prompt</source>
            <translation>Prompt</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Result</source>
            <translation>Ergebnis</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Run</source>
            <translation>Lauf</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Sentence</source>
            <translation>Satz</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>What was checked</source>
            <translation>Was kontrolliert wurde</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>What was looked at</source>
            <translation>Was angesehen wurde</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Where this comes from</source>
            <translation>Woher dies kommt</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>Why</source>
            <translation>Warum</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>pixels: the image has no coordinate reference system</source>
            <translation>Pixel: Das Bild hat kein Koordinatenbezugssystem</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>{image}, of {time}</source>
            <translation>{image}, vom {time}</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>{image}, {gsd} m per px</source>
            <translation>{image}, {gsd} m je px</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>{name}, {width} x {height} px</source>
            <translation>{name}, {width} x {height} px</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>{n} more boxes are in the GeoPackage.</source>
            <translation>Im GeoPackage sind {n} weitere Rahmen.</translation>
        </message>
        <message>
            <location filename="../report/report.py" />
            <source>{verdict}, not counted</source>
            <translation>{verdict}, nicht gezählt</translation>
        </message>
        <message>
            <location filename="../review/by_hand.py" />
            <source>Complete the review</source>
            <translation>Prüfung vervollständigen</translation>
        </message>
        <message>
            <location filename="../review/defaults.py" />
            <source>added by the analyst</source>
            <translation>von Hand ergänzt</translation>
        </message>
        <message>
            <location filename="../review/export.py" />
            <source>Nothing was reviewed yet, so there is nothing to learn from. Accept, reject, move or add boxes and save the review first.</source>
            <translation>Noch wurde nichts geprüft, deshalb gibt es nichts zu lernen. Nehmen Sie Rahmen an, lehnen Sie welche ab, verschieben oder ergänzen Sie welche, und speichern Sie zuerst die Prüfung.</translation>
        </message>
        <message>
            <location filename="../review/export.py" />
            <source>The engine does not have this result.</source>
            <translation>Die Engine hat dieses Ergebnis nicht.</translation>
        </message>
        <message>
            <location filename="../review/export.py" />
            <source>{examples} examples with {boxes} boxes were written to {path}.</source>
            <translation>{examples} Beispiele mit {boxes} Rahmen wurden nach {path} geschrieben.</translation>
        </message>
        <message>
            <location filename="../review/export.py" />
            <source>{written} Tiles left out: {why}.</source>
            <translation>{written} Ausgelassene Kacheln: {why}.</translation>
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>Accept evidence</source>
            <translation>Belege annehmen</translation>
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>Clear review</source>
            <translation>Prüfung zurücknehmen</translation>
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>Reject evidence</source>
            <translation>Belege ablehnen</translation>
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>The review could not be written to {path}: {reason}. It is kept in the layer; close other programs that use the file and save again.</source>
            <translation>Die Prüfung konnte nicht nach {path} geschrieben werden: {reason}. Sie bleibt im Layer; schließen Sie andere Programme, die die Datei verwenden, und speichern Sie noch einmal.</translation>
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>{names} was drawn or changed by hand, which cannot be cleared. Undo the change, delete the box, or reject it.</source>
            <translation>{names} wurde von Hand gezeichnet oder geändert; das lässt sich so nicht zurücknehmen. Machen Sie die Änderung rückgängig, löschen Sie den Rahmen, oder lehnen Sie ihn ab.</translation>
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>{path} cannot be written: it is read-only, or another program holds it. Save the GeoPackage to another place and review that one.</source>
            <translation>{path} ist nicht beschreibbar: Die Datei ist schreibgeschützt, oder ein anderes Programm hält sie. Speichern Sie das GeoPackage an einem anderen Ort, und prüfen Sie jenes.</translation>
        </message>
        <message>
            <location filename="../review/update.py" />
            <source>The new answer could not be written to {path}: {reason}. The review itself is saved; close other programs that use the file and try again.</source>
            <translation>Die neue Antwort konnte nicht nach {path} geschrieben werden: {reason}. Die Prüfung selbst ist gespeichert; schließen Sie andere Programme, die die Datei verwenden, und versuchen Sie es noch einmal.</translation>
        </message>
        <message>
            <location filename="../review/update.py" />
            <source>The review has changes that are not saved. Save it; the answer is then made anew.</source>
            <translation>Die Prüfung hat ungespeicherte Änderungen. Speichern Sie sie; die Antwort wird dann neu gemacht.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Answered; kept in {file}.</source>
            <translation>Beantwortet; gespeichert in {file}.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Asking.</source>
            <translation>Die Frage läuft.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Cancelled here, but the engine could not be told, and may go on: {why}</source>
            <translation>Hier abgebrochen, aber die Engine war nicht zu erreichen und arbeitet vielleicht weiter: {why}</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Fetching the result.</source>
            <translation>Das Ergebnis wird geholt.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Sending imagery.</source>
            <translation>Bilder werden gesendet.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>The engine at {url} tells about the answer in a way that this plugin does not understand ("{name}"). Update the older of the two; the engine keeps the answer.</source>
            <translation>Die Engine unter {url} berichtet über die Antwort auf eine Weise, die diese Erweiterung nicht versteht („{name}“). Aktualisieren Sie die ältere von beiden; die Engine behält die Antwort.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>The engine could not answer.</source>
            <translation>Die Engine konnte nicht antworten.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <location filename="../tasks/ask_task.py" />
            <source>The engine goes on with the question; follow it again later.</source>
            <translation>Die Engine arbeitet an der Frage weiter; verfolgen Sie sie später weiter.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>The question is answered, but the result could not be fetched: {why}</source>
            <translation>Die Frage ist beantwortet, aber das Ergebnis konnte nicht geholt werden: {why}</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>The question was cancelled in the engine; what was answered is kept.</source>
            <translation>Die Frage wurde in der Engine abgebrochen; was beantwortet war, bleibt erhalten.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>{how} What came is kept in {file}.</source>
            <translation>{how} Was schon da war, ist in {file} gespeichert.</translation>
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>{path} exists already, and nothing is written over it. Choose another name.</source>
            <translation>{path} gibt es schon, und es wird nichts überschrieben. Wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <location filename="../tasks/ask_task.py" />
            <source>groundproof: {question}</source>
            <translation>groundproof: {question}</translation>
        </message>
        <message>
            <location filename="../tasks/unexpected.py" />
            <source>Something went wrong in the plugin that should not have. View &gt; Panels &gt; Log Messages says what.</source>
            <translation>In der Erweiterung ist etwas schiefgegangen, das nicht hätte passieren dürfen. Ansicht &gt; Bedienfelder &gt; Protokollmeldungen sagt, was.</translation>
        </message>
        <message>
            <location filename="../tasks/work_task.py" />
            <source>It was not begun.</source>
            <translation>Es wurde nicht begonnen.</translation>
        </message>
    </context>
</TS>

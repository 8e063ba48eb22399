<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
    <context>
        <name>groundproof</name>
        <message>
            <location filename="../answer/answer.py" />
            <source>1 box so far</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>1 box, no answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>cancelled before all tiles were looked at</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>the engine stopped before it had answered</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{answers}; and {n} more answers</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{n} boxes so far</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{n} boxes, no answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{n} of {tiles} tiles</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/answer.py" />
            <source>{progress}, {n} failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} accepted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} added</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} adjusted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} counted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} counted after your review ({done})</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/counting.py" />
            <source>{n} rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/evidence.py" />
            <location filename="../asking/size_words.py" />
            <source>{width} x {height} m</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/evidence.py" />
            <source>{width} x {height} px</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>also checked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>and {n} more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>error</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>pixels {window}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/html.py" />
            <source>warning</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../answer/part.py" />
            <source>no answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>at most {n} MB</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} MP</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} h</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} m per px</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} min</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} px</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{n} s</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../asking/size_words.py" />
            <source>{width} x {height} km</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>Is the engine there</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>this computer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>{host}, {model}: ready.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>{host}: {sentence}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>{model} on {where}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/engines.py" />
            <source>{url}: asking whether it is there.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/places.py" />
            <location filename="../gui/where_field.py" />
            <source>Draw the rectangle on the map first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>1 tile</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>What the question would cost</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>about {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>{n} tiles</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>{pixels} at {resolution}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../control/sizing.py" />
            <source>{size}. {problem}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>An engine's address has no spaces, user, question mark or #. Put the token into one of QGIS's authentication configurations, and give the address as {example}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>The engine's address is empty. Give one such as {example}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>{text} is not an address: {why}. Give one such as {example}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>{text} is not an engine's address. It begins with https:// or http:// and a host, such as {example}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/address.py" />
            <source>{url} is not encrypted: the token and the imagery would travel readable for everybody on the way. Use an address that begins with https://, or a tunnel to this computer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/child.py" />
            <source>It said nothing and ended with code {code}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/child.py" />
            <source>It was ended from outside, or crashed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/child.py" />
            <location filename="../engine/command.py" />
            <source>{program} cannot be started: {why}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/client.py" />
            <source>The engine at {url} (version {version}) speaks interface {theirs}; this plugin (version {plugin}) speaks interface {ours}. Update the older of the two.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/client.py" />
            <source>The engine at {url} gave no {name}. Check its version.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/client.py" />
            <source>{url} is not a groundproof engine: something else answers there. Check the address.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/data_folder.py" />
            <location filename="../engine/installation.py" />
            <source>The engine's folder cannot be made: {why}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/data_folder.py" />
            <source>{n} engines run for QGIS on this computer already. Close one of the QGIS windows.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/exchange.py" />
            <location filename="../tasks/ask.py" />
            <source>Cancelled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/exchange.py" />
            <source>The answer of {url} is larger than {limit} MB, so it was not read to its end.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/exchange.py" />
            <source>{received} of {whole} bytes came</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>Installing PyTorch (about 200 MB).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>Installing the engine.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>Looking for Python 3.11 or newer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>Making an environment with {python}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>The engine could not be installed: {why} Check the network and QGIS's proxy, or choose a wheel file in the settings.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>The engine, version {version}, is installed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>The installation cannot be kept: {why}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>The installation was cancelled; what it had made is removed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installation.py" />
            <source>it said nothing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installed.py" />
            <source>Nothing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installed.py" />
            <source>There is no file {path}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/installed.py" />
            <source>{source} cannot be installed. Give a wheel file, an address that begins with https://, or a requirement such as groundproof[torch,serve].</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>An earlier engine has not ended yet; waiting for it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine is not installed on this computer. Install it, or connect to one that runs elsewhere.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine on this computer has ended: {said} Start it again; questions go on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine on this computer is not running.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>The engine on this computer is starting.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/local.py" />
            <source>This computer, {model}: ready.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>No engine answers at {url}. Check that it runs, and its port.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>No trusted connection to {url}: {why}. If the certificate is your organisation's, add it under Settings &gt; Options &gt; Authentication &gt; Manage Certificates.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>The connection to the engine at {url} broke off: {why}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>The engine at {url} has said nothing for {seconds:.0f} seconds. Try again, or ask its operator.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>The host of {url} cannot be found. Check the address and the network.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>The proxy that QGIS is set to use does not work: {why}. See Settings &gt; Options &gt; Network.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/network_error.py" />
            <source>{url} is not a groundproof engine: it does not speak HTTP. Check address and port.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>The engine at {url} does not accept this token. Choose an authentication configuration that holds the engine's token as password (its operator has it).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>The proxy wants a user name and password. Give them in QGIS under Settings &gt; Options &gt; Network, or add the engine's address to the excluded ones there.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>What answers at {url} does not reach the engine behind it ({status} {words}). Try again, or ask its operator.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>{url} answered {status} {words}, which is no answer of a groundproof engine. Check the address.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>{url} is busy ({status} {words}). Try again in a while.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>{url} is not a groundproof engine: its answer cannot be read. Check the address.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/problem.py" />
            <source>{url} sends on to {other}. If that is the engine you mean, give that address in the settings.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>Install Python 3.12 from https://www.python.org/downloads (for you alone is enough), then try again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>Install Python 3.12 from https://www.python.org/downloads, then try again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>Install one with your system's package manager (on Debian and Ubuntu: sudo apt install python3.12 python3.12-venv), or choose one in the settings, then try again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>Python {version} at {path} cannot make environments. Install what it lacks (on Debian and Ubuntu: sudo apt install python{version}-venv), then try again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>The engine needs Python 3.11 or newer; found: {versions}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/python_search.py" />
            <source>none</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/requests.py" />
            <source>QGIS's authentication configuration {name} cannot be used. Unlock QGIS's authentication database with its master password, or choose another configuration in the settings.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/watch.py" />
            <source>The connection to the engine is lost ({why}) The question is not: the engine keeps it, and goes on with it when it runs. Follow it again later.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/watch.py" />
            <source>The engine ended the connection before the answer was complete.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/watch.py" />
            <source>What the engine tells about the question cannot be read: {why}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../engine/watch.py" />
            <source>{why} Trying again ({n} of {all}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>Answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>Asking...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>Cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>No answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>Tiles answered</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_head.py" />
            <source>What weakens the answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>A page with the map's picture and all evidence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Accept, reject, move or add boxes on the map</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>All checks</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>COCO, for detectors...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Earlier questions of this project</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Evidence ({n} of {total})</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Evidence ({n} so far)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Evidence ({n})</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Export</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Export corrections: training samples made of what you reviewed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Filter</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Filter the evidence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Geo-CoT messages, for reasoning models...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>History</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>No answer yet. Ask about what the map shows: each claim of the answer becomes a box on the map.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Notes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>PDF...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Plan</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Report</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <location filename="../gui/evidence_model.py" />
            <source>Review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Save</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Save a copy of the GeoPackage</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Synthesis</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Web page (HTML)...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>Words of a sentence, a label, a number or a verdict</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/answer_panel.py" />
            <source>YOLO, for detectors...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source> m per pixel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Bands</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Bands of your choice, in this order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <location filename="../gui/task_words.py" />
            <source>Compare two dates</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Give the bands by number, such as 4, 3, 2; the layer has {n}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Ground size of a pixel that is sent. Automatic: the map's, or the layer's own.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Look at every box again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Numbers of the bands</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>One answer for each polygon</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Red, green and blue of the layer's style, as they are stored</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Resolution</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>Shows the model every box once more, close up, and marks it supported or contradicted. Takes longer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>The colours that the layer's style gives them</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>The layer has {n} bands; there is no band {wrong}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>as drawn</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>automatic</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>bands {numbers}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>by number</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>colours as drawn</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>per polygon</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>second look</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_options.py" />
            <source>two dates</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Ask</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Cancel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Pixels</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Task</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>&amp;Where</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>C&amp;lasses</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <location filename="../gui/engine_line.py" />
            <source>Connect...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Earlier questions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Nobody answers yet. Start an engine on this computer, or connect to one elsewhere.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Open the demo scene</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Options</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Sends the question and the pixels to the engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Start on this computer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Stops; what came so far is kept</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Task</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>The question has {n} characters; up to {most} are allowed. Shorten it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>There is no imagery to ask about. Add a layer, or open the demo scene.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>There is no imagery yet. Add some, or open the demo scene.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Type a question, for example: How many airplanes are there?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/ask_panel.py" />
            <source>Your own question is kept. Clear it to ask for these classes.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/class_edit.py" />
            <source>Classes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/class_edit.py" />
            <source>Classes separated by commas. They become part of the question.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/class_edit.py" />
            <source>Classes separated by commas. They become part of the question. The model was trained for: {labels}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/class_edit.py" />
            <source>any words, separated by commas</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>A large area</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>A smaller area or a coarser resolution (under Options) is quicker.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Ask anyway</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Estimate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>How large</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Install</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Install the engine on this computer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Nothing has been sent yet. You can withdraw this consent in the settings, under groundproof.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Python</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>QGIS and its Python stay as they are. To remove the engine, delete that folder or use the settings.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Send imagery to another computer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Send, and do not ask again for this engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>The engine and what it needs are downloaded and installed into a folder of their own.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>This question sends imagery to an engine that is not on this computer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>This question will take long.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>To whom</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>What</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>Where to</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/consent.py" />
            <source>You can cancel at any time; what came so far is kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Help</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Install...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Settings: who answers, and how</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Start</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Start again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Stop installing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/engine_line.py" />
            <source>Try again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <location filename="../gui/evidence_view.py" />
            <source>Evidence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>No.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>Review: {word}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <location filename="../gui/evidence_view.py" />
            <source>Score</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>Size</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>Verdict</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>no words</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_model.py" />
            <source>score {n}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Accept</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Ask about it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Copy as text</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Reject</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Sort by {column}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Take the decision back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <source>Zoom to it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <location filename="../gui/verdict_words.py" />
            <source>accepted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/evidence_view.py" />
            <location filename="../gui/verdict_words.py" />
            <source>contradicted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/follow_up_chip.py" />
            <source>About the last answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/follow_up_chip.py" />
            <source>About {boxes} of the last answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/follow_up_chip.py" />
            <source>About {n} boxes of the last answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/follow_up_chip.py" />
            <source>Ask a new question instead</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/messages.py" />
            <source>Close this message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source> tiles</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Forget all consents</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Install or update...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Keep results in</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Model</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Python</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>&amp;Test the connection</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>A Python 3.11 or newer; not QGIS's own</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>A wheel file, an address or a requirement, as pip takes it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>An engine &amp;elsewhere</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>An engine elsewhere</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Ask back from</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Asking</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Authentication</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>For an engine you installed yourself: the path of its program groundproof</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Give the engine's address first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Imagery goes to an engine elsewhere only after you agreed to it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Install &amp;from</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Installed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>No engine is installed yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Privacy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Program</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Put the engine's token as password into a basic authentication, or as a header "Authorization: Bearer ..." into one of the type API header. QGIS keeps it encrypted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Remove...</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>This &amp;computer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>This computer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>What groundproof serve --model takes: a name, a folder, or a server's address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>Who answers</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>You agreed to: {engines}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>a folder beside the project</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>found automatically</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/options_page.py" />
            <source>the engine that the plugin installed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>After</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Before</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Before and after are the same. Choose two layers or map themes of different dates.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Map theme {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Pixels</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Pixels of the earlier date</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>Pixels of the later date</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>The map as it is drawn, without labels and without result layers</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>The map as this theme draws it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>What you see</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>{layer} (native {resolution})</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>{layer}: its own pixels of {resolution}, not as they are drawn</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>{layer}: pixels of the service, at the resolution of the map</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/pixels_field.py" />
            <source>{n} m</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/question_edit.py" />
            <source>Enter asks, Shift+Enter starts a new line, Up and Down bring earlier questions back.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/question_edit.py" />
            <source>How many airplanes are parked here?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/question_edit.py" />
            <source>Question</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>A box around every object of the classes named.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>A number, and a box around every object that was counted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Answer a question</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>As the question says</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Boxes around what is described, such as: the white tank beside the pier.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Count objects</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Describe a part</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Describe it, with boxes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Describe the picture</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Find all objects of a class</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Find what a phrase describes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Name the kind of area</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>One or several classes, with the share of the area of each.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Some sentences about the box that was asked about.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Some sentences about the whole area.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Some sentences, each object they name in a box.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>The engine infers the task from the words of the question.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>What appeared, disappeared or changed between two images.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/task_words.py" />
            <source>Words, with boxes as evidence where there are any.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>A second look does not see it; it is not counted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>A second look, an independent model or a person sees it too.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>It stands in the answer without a sentence that points at it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>One tile's own box; it gets its number when all tiles have answered.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>The box lies outside of what was shown; it is not counted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>The model says so; nobody has looked again yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>The same object is listed twice; it is not counted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>added</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>adjusted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>duplicate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>not final yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>out of frame</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>supported</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>unchecked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/verdict_words.py" />
            <source>unsupported</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>A rectangle that you draw on the map</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Draw another</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Draw on the map</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Layer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Layer of the selected polygons</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Layer whose extent is asked about</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Map</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>No polygon of {layer} is selected. Select those to ask about.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Rectangle</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>Selection</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>The selected polygons of a layer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>The whole extent of a raster layer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>There is no polygon layer. Add one, or ask about the visible map.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>There is no raster layer. Add one, or ask about the visible map.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>What the map canvas shows when you ask</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../gui/where_field.py" />
            <source>{layer} ({n} selected)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/carry.py" />
            <source>The place crosses the edge of {crs} (the 180 degree meridian or a pole). Ask about each side of it on its own.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/file_source.py" />
            <source>{name} cannot be read: {reason}. Check the file and its drive, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/ground.py" />
            <source>The place lies outside what {crs} can describe. Choose a smaller place, or one inside its area of use.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/ground.py" />
            <source>this coordinate reference system</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>"{layer}" has no coordinate reference system: boxes come in pixels, without sizes.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>"{layer}" is sent in the colours of its style: its values are no plain 8 or 16 bit colours.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>Bands {bands} of "{layer}" are not all 8 bit or all 16 bit unsigned numbers. Choose others, or ask with the colours of its style.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>Bands {bands} were chosen; "{layer}" has {n}, and up to {most} can be sent. Choose among those.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The layer "{layer}" has no coordinate reference system, so metres per px mean nothing in it. Ask at its native resolution, or set a coordinate reference system in its properties.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The layer "{layer}" has no coordinate reference system. Set one in its properties, or ask about the whole layer to get boxes in pixels.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The layer "{layer}" is not a file whose bands can be chosen. Ask with the colours of its style.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The place has no coordinate reference system. Set one in the project's properties.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The place lies outside the layer "{layer}". Zoom to the layer, or choose another place.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The raster layer is not in the project any more. Choose another one, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>The source of the layer "{layer}" is gone. Repair the layer or choose another one, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>its own pixels</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <location filename="../imagery/seen.py" />
            <source>{gsd:.3g} m per px, as chosen</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <location filename="../imagery/seen.py" />
            <source>{gsd:.3g} m per px, native to "{layer}"</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>{n} control points place "{layer}"; its pixels are sent laid out north up, as QGIS shows them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/layer_pixels.py" />
            <source>{wanted:.3g} m per px was chosen; "{layer}" has {native:.3g} m per px, and that is sent.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>No polygon is selected in "{layer}". Select one or more, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The layer "{layer}" does not say how far it reaches. Draw a rectangle instead.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The layer "{layer}" has no coordinate reference system. Set one in the layer's properties.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The layer "{layer}" holds no polygons. Choose a polygon layer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The map canvas is empty. Add imagery and zoom to it, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The project has no coordinate reference system. Set one in the project's properties.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The rectangle has no area. Draw a larger one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>The rectangle has no coordinate reference system. Set one in the project's properties.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>There is no layer with polygons. Add one and select polygons in it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/place.py" />
            <source>There is no raster layer. Add imagery, or open the demo scene.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/plan.py" />
            <source>The place has {width:,} x {height:,} px; up to {most:,} px, and {side:,} px along a side, are allowed. Choose a smaller place or a coarser resolution.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/raster_file.py" />
            <source>it is no raster that GDAL knows</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/raster_file.py" />
            <source>{name} cannot be opened: {reason}. Check that it is still there, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/rendered.py" />
            <source>The layer "{layer}" cannot be drawn: {reason}. Repair it or switch it off, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/rendered.py" />
            <source>The picture of the map cannot be encoded as PNG. Ask about a smaller place, and report it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/seen.py" />
            <source>No layer at the place says how fine it is. Choose a resolution.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/seen.py" />
            <source>No visible layer reaches the place. Zoom to your imagery, or switch a layer on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/seen.py" />
            <source>map</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/seen.py" />
            <source>{gsd:.3g} m per px, as on the canvas</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/seen_layers.py" />
            <source>Nothing is visible on the map. Add imagery or switch a layer on, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/seen_layers.py" />
            <source>The layer "{layer}" cannot be copied: its source is gone. Repair it or switch it off, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/seen_layers.py" />
            <source>The project has no map theme "{theme}". Choose another one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/service_grid.py" />
            <source>The layer "{layer}" has no resolution of its own. Choose one in metres per px.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/service_grid.py" />
            <source>{gsd:.3g} m per px, a level of "{layer}"</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/service_grid.py" />
            <source>{gsd:.3g} m per px, as asked of the service</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/styled_source.py" />
            <source>The layer "{layer}" cannot be read: {reason}. Check its source, then ask again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../imagery/styled_source.py" />
            <source>nothing came</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>appeared</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>changes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>disappeared</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>judged otherwise</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>moved</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>other words</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/compare.py" />
            <source>the same</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/crs.py" />
            <source>The answer came in a coordinate reference system that this QGIS does not know: {name}. Ask in a layer or project with a common one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/hand_over.py" />
            <location filename="../layers/result.py" />
            <location filename="../layers/tables.py" />
            <source>The file {path} is not there.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/hand_over.py" />
            <source>{path} could not be written: {reason}. Choose another place.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/hand_over.py" />
            <source>{path} is open in a program. Close it there, or choose another name.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/hand_over.py" />
            <source>{path} is the file that is open. Choose another name.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/live.py" />
            <source>boxes so far</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>area asked about</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>area, m²</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>audit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>boxes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>coverage</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>evidence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>height, m</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>images</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>metres per pixel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>number</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>plan</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>question</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>reviewed at</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>score</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>seconds</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>sentence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>status</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>synthesis</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>task</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>the model's text</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>tiles looked at</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>verdict</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>what it is</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>width, m</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/result.py" />
            <source>{path} is not a result of groundproof: its table {name} cannot be read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/show.py" />
            <source>The box lies outside of what the map's coordinate reference system can show.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/tables.py" />
            <source>{path} is not a GeoPackage that can be read. Choose a result of groundproof.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../layers/tables.py" />
            <source>{path} is not a result of groundproof: it has no table {name}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/by_hand.py" />
            <source>Complete the review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/defaults.py" />
            <source>added by the analyst</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/export.py" />
            <source>Nothing was reviewed yet, so there is nothing to learn from. Accept, reject, move or add boxes and save the review first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/export.py" />
            <source>The engine does not have this result.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/export.py" />
            <source>{examples} examples with {boxes} boxes were written to {path}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/export.py" />
            <source>{written} Tiles left out: {why}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>Accept evidence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>Clear review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>Reject evidence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>The review could not be written to {path}: {reason}. It is kept in the layer; close other programs that use the file and save again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>{names} was drawn or changed by hand, which cannot be cleared. Undo the change, delete the box, or reject it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/session.py" />
            <source>{path} cannot be written: it is read-only, or another program holds it. Save the GeoPackage to another place and review that one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/update.py" />
            <source>The new answer could not be written to {path}: {reason}. The review itself is saved; close other programs that use the file and try again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../review/update.py" />
            <source>The review has changes that are not saved. Save it; the answer is then made anew.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Answered; kept in {file}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Asking.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <location filename="../tasks/ask_task.py" />
            <source>Cancelled before anything was asked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Cancelled here, but the engine could not be told, and may go on: {why}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Fetching the result.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>Sending imagery.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>The engine could not answer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <location filename="../tasks/ask_task.py" />
            <source>The engine goes on with the question; follow it again later.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>The folder {path} does not exist.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>The question is answered, but the result could not be fetched: {why}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>The question was cancelled in the engine; what was answered is kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>{how} What came is kept in {file}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask.py" />
            <source>{path} exists already, and nothing is written over it. Choose another name.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/ask_task.py" />
            <source>groundproof: {question}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../tasks/unexpected.py" />
            <source>Something went wrong in the plugin that should not have. View &gt; Panels &gt; Log Messages says what.</source>
            <translation type="unfinished" />
        </message>
    </context>
</TS>
